/* plugins/shared/marker.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "marker.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* A place that ends by itself is left that long to do so. */
enum { VERSION = 1, GRACE_S = 30 };

static const char purpose[] =
    "A throwaway database server of Backstay. It removes itself when its time is over; "
    "\"backstay scratch remove\" does so before.";

/* ---- this process */

static char *read_line(const char *path)
{
    char text[1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return plug_strdup(text);
}

int64_t plug_marker_started(pid_t pid)
{
    char text[1024];
    PLUG_AUTO_FREE char *path = plug_strf("/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    /* The process's name comes first, in parentheses, and may hold anything. */
    char *at = strrchr(text, ')');
    if (at && strncmp(at, ") Z", 3) == 0)
        return 0;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : 0;
}

static char *pid_namespace(void)
{
    char text[64];
    ssize_t n = readlink("/proc/self/ns/pid", text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    return plug_strdup(text);
}

struct plug_marker plug_marker_mine(const char *kind, const char *source)
{
    struct utsname machine;

    if (uname(&machine) != 0)
        machine.nodename[0] = '\0';
    return (struct plug_marker){
        .kind = plug_strdup(kind),
        .source = plug_strdup(source),
        .machine = plug_strdup(machine.nodename),
        .boot = read_line("/proc/sys/kernel/random/boot_id"),
        .pids = pid_namespace(),
        .creator = getpid(),
        .started = plug_marker_started(getpid()),
        .created = time(NULL),
        .uid = geteuid(),
    };
}

void plug_marker_free(struct plug_marker *marker)
{
    free(marker->kind);
    free(marker->source);
    free(marker->machine);
    free(marker->boot);
    free(marker->pids);
    free(marker->sockets);
    *marker = (struct plug_marker){0};
}

/* ---- as text */

char *plug_marker_text(const struct plug_marker *marker)
{
    json_t *json =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s*, s:I, s:I, s:I, s:I, s:I, s:I, s:b}",
                  "purpose", purpose, "backstay-scratch", VERSION, "kind", marker->kind, "source",
                  marker->source, "machine", marker->machine, "boot", marker->boot, "pids",
                  marker->pids, "sockets", marker->sockets, "creator", (json_int_t)marker->creator,
                  "started", (json_int_t)marker->started, "created", (json_int_t)marker->created,
                  "expires", (json_int_t)marker->expires, "uid", (json_int_t)marker->uid, "inode",
                  (json_int_t)marker->inode, "kept", marker->kept);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

    json_decref(json);
    if (text == NULL)
        abort();
    return text;
}

static char *copy(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return plug_strdup(text ? text : "");
}

static int64_t number(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

bool plug_marker_parse(struct plug_marker *out, const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, 0, NULL);

    if (number(json, "backstay-scratch") != VERSION) {
        json_decref(json);
        return false;
    }
    *out = (struct plug_marker){
        .kind = copy(json, "kind"),
        .source = copy(json, "source"),
        .machine = copy(json, "machine"),
        .boot = copy(json, "boot"),
        .pids = copy(json, "pids"),
        .sockets = json_object_get(json, "sockets") ? copy(json, "sockets") : NULL,
        .creator = (pid_t)number(json, "creator"),
        .started = number(json, "started"),
        .created = number(json, "created"),
        .expires = number(json, "expires"),
        .uid = (uint64_t)number(json, "uid"),
        .inode = (uint64_t)number(json, "inode"),
        .kept = json_is_true(json_object_get(json, "kept")),
    };
    json_decref(json);
    return true;
}

/* ---- judgement */

bool plug_marker_is_ours(const struct plug_marker *marker)
{
    struct plug_marker mine = plug_marker_mine("", "");
    bool ours = strcmp(marker->machine, mine.machine) == 0 && marker->uid == mine.uid;

    plug_marker_free(&mine);
    return ours;
}

bool plug_marker_is_over(const struct plug_marker *marker)
{
    struct plug_marker mine = plug_marker_mine("", "");
    bool rebooted = strcmp(marker->boot, mine.boot) != 0;
    bool gone = strcmp(marker->pids, mine.pids) == 0 &&
                plug_marker_started(marker->creator) != marker->started;
    bool over = rebooted || mine.created > marker->expires + GRACE_S || (gone && !marker->kept);

    plug_marker_free(&mine);
    return over;
}
