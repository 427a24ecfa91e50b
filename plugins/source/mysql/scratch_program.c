/* plugins/source/mysql/scratch_program.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which of the installed servers becomes a scratch instance. Files of one product do not load into
 * the other, and those of a newer series not always into an older: so it is of the same product,
 * and older only where somebody has named its folder.
 */
#include "child.h"
#include "scratch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION_MOST = 256 };

/* ---- versions */

struct my_series my_series_of(const char *version)
{
    struct my_series series = {.mariadb = version && strstr(version, "MariaDB") != NULL};

    if (version && sscanf(version, "%3u.%3u", &series.major, &series.minor) != 2)
        series.major = series.minor = 0;
    return series;
}

char *my_series_name(const struct my_series *series)
{
    return plug_strf("%s %u.%u", series->mariadb ? "MariaDB" : "MySQL", series->major,
                     series->minor);
}

static unsigned number(const struct my_series *series)
{
    return series->major * 1000 + series->minor;
}

static int keep_text(void *ctx, const void *data, size_t len)
{
    struct plug_bytes *text = ctx;

    if (text->len < VERSION_MOST)
        plug_bytes_add(text, data, PLUG_MIN(len, VERSION_MOST - text->len));
    return 0;
}

/* "mysqld  Ver 8.0.36 for Linux on x86_64 (...)". Caller frees; NULL: it does not say. */
static char *version_of(const struct backstay_host *host, const char *path)
{
    const char *const argv[] = {path, "--no-defaults", "--version", NULL};
    PLUG_AUTO_BYTES struct plug_bytes text = {0};
    struct plug_child child = {.argv = argv, .host = host, .output = keep_text, .ctx = &text};
    struct backstay_error why = {.size = sizeof why};
    int r = plug_child_run(&child, &why);
    const char *at = r == 0 && text.len ? strstr(text.data, " Ver ") : NULL;

    plug_bytes_free(&child.said);
    if (at == NULL)
        return NULL;
    at += strlen(" Ver ");
    return plug_strf("%.*s", (int)strcspn(at, " \n"), at);
}

/* ---- searching */

static bool fits(const struct my *my, const struct my_series *want, const struct my_series *is)
{
    if (is->major == 0)
        return false;
    if (want->major == 0)
        return true;
    return is->mariadb == want->mariadb && (my->bin || number(is) >= number(want));
}

static bool is_better(const struct my_series *want, const struct my_series *is,
                      const struct my_program *best)
{
    if (best->path == NULL)
        return true;
    if (want->major == 0)
        return number(is) > number(&best->series);
    return number(is) < number(&best->series);
}

static char *base_of(const char *path)
{
    char real[PATH_MAX];

    if (realpath(path, real) == NULL)
        return plug_strdup("/usr");
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(real, '/');
        if (slash)
            *slash = '\0';
    }
    return plug_strdup(real[0] ? real : "/");
}

struct search {
    const struct my *my;
    const struct my_series *want;
    struct my_program *best;
};

static void consider(const struct search *search, const char *folder, size_t len,
                     const char *program)
{
    PLUG_AUTO_FREE char *path = plug_strf("%.*s/%s", (int)len, folder, program);
    char *version = access(path, X_OK) == 0 ? version_of(search->my->host, path) : NULL;
    struct my_series is = my_series_of(version);

    if (!fits(search->my, search->want, &is) || !is_better(search->want, &is, search->best)) {
        free(version);
        return;
    }
    my_program_free(search->best);
    *search->best = (struct my_program){
        .path = plug_strdup(path), .base = base_of(path), .version = version, .series = is};
}

/* Debian, the RPMs of both, tarballs, $PATH. */
static void search_all(const struct search *search)
{
    static const char usual[] = "/usr/sbin:/usr/libexec:/usr/bin:/usr/local/mysql/bin:"
                                "/usr/local/mariadb/bin:/usr/local/sbin:/usr/local/bin";
    const char *path = getenv("PATH");
    PLUG_AUTO_FREE char *all = search->my->bin ? plug_strdup(search->my->bin)
                                               : plug_strf("%s:%s", usual, path ? path : "");

    for (const char *at = all; *at;) {
        size_t len = search->my->bin ? strlen(at) : strcspn(at, ":");
        if (len > 0) {
            consider(search, at, len, "mariadbd");
            consider(search, at, len, "mysqld");
        }
        at += len + (at[len] == ':');
    }
}

int my_program_find(struct my_program *out, const struct my *my, const struct my_series *want,
                    struct backstay_error *err)
{
    const struct backstay_host *host = my->host;
    struct my_program best = {0};
    const struct search search = {.my = my, .want = want, .best = &best};

    search_all(&search);
    if (host->cancelled(host)) {
        my_program_free(&best);
        return host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    }
    if (best.path) {
        *out = best;
        return 0;
    }
    PLUG_AUTO_FREE char *name =
        want->major ? my_series_name(want) : plug_strdup("MariaDB or MySQL");
    if (my->bin)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "make a scratch instance of %s: \"bin\" is %s, which has no server of "
                          "that product (mariadbd or mysqld)",
                          name, my->bin);
    return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                      "make a scratch instance of %s: no such server or a newer one is installed; "
                      "install %s, or give the folder of its program with \"bin\" or another "
                      "server with \"scratch_server\"",
                      name, want->mariadb || want->major == 0 ? "mariadb-server" : "mysql-server");
}

void my_program_free(struct my_program *program)
{
    free(program->path);
    free(program->base);
    free(program->version);
    *program = (struct my_program){0};
}
