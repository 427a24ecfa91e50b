/* plugins/source/media/probe.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Looks at a tree without a backup: the preflight, and the facts of a live or a restored one.
 */
#include "folder.h"
#include "names.h"
#include "tally.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---------------------------------------------------------------- probe */

struct probe {
    const struct media *media;
    struct media_tally *tallies; /* one per thread */
};

static int count(void *ctx, unsigned worker, const struct media_spot *spot)
{
    struct probe *probe = ctx;
    uint64_t bytes = S_ISREG(spot->st->st_mode) ? (uint64_t)spot->st->st_size : 0;

    media_tally_add(&probe->tallies[worker], spot->st->st_mode, bytes);
    return 0;
}

static int log_trouble(void *ctx, unsigned worker, const struct media_spot *spot, const char *what)
{
    struct probe *probe = ctx;
    const struct backstay_host *host = probe->media->host;

    (void)worker;
    host->log(host, BACKSTAY_LOG_WARN, "%s: %s: %s", spot->path, what, media_why(spot->error));
    return 0;
}

int media_probe(void *self, const struct backstay_target *target, struct backstay_report *report,
                struct backstay_error *err)
{
    const struct media *media = self;
    unsigned n = PLUG_MAX(media->host->jobs, 1);
    struct probe probe = {.media = media, .tallies = plug_alloc(n, sizeof *probe.tallies)};
    struct media_walk walk = {
        .media = media,
        .root = target ? target->location : media->path,
        .visitor = {.ctx = &probe, .folder = count, .entry = count, .trouble = log_trouble}};
    struct media_tally total = {0};

    int r = media_walk_run(&walk, err);
    for (unsigned i = 0; i < n; i++)
        media_tally_merge(&total, &probe.tallies[i]);
    for (size_t i = 0; r == 0 && i < MEDIA_TALLY_FACTS; i++) {
        char value[24];
        const char *name = media_tally_fact(&total, i, value);
        report->fact(report, name, value);
    }
    free(probe.tallies);
    return r;
}

/* ---------------------------------------------------------------- check */

static bool readable(int dir_fd, const char *name)
{
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return faccessat(dir_fd, name, R_OK | X_OK, AT_EACCESS) == 0;
    return !S_ISREG(st.st_mode) || faccessat(dir_fd, name, R_OK, AT_EACCESS) == 0;
}

static void check_entries(const struct media *media, int fd, struct backstay_report *report)
{
    struct media_names names = {0};
    void *buffer = plug_alloc(1, MEDIA_NAMES_BUFFER);
    const char *example = NULL;
    size_t unreadable = 0;

    if (media_names_read(&names, fd, buffer) != 0) {
        report->finding(report, BACKSTAY_BAD, "entries", "list %s: %s", media->path,
                        media_why(errno));
    } else {
        for (size_t i = 0; i < names.n; i++) {
            if (readable(fd, media_name_text(&names, i)))
                continue;
            example = example ? example : media_name_text(&names, i);
            unreadable++;
        }
        if (unreadable > 0)
            report->finding(report, BACKSTAY_WARNING, "entries",
                            "%zu of %zu entries at the top are not readable by uid %u, %s for "
                            "one; run as root or grant read access",
                            unreadable, names.n, (unsigned)geteuid(), example);
        else if (names.n == 0)
            report->finding(report, BACKSTAY_WARNING, "entries",
                            "the folder %s is empty: is it mounted?", media->path);
        else
            report->finding(report, BACKSTAY_OK, "entries", "%zu%s at the top, all readable",
                            names.n, names.complete ? "" : " or more");
    }
    media_names_free(&names);
    free(buffer);
}

static void check_rights(struct backstay_report *report)
{
    if (geteuid() == 0)
        report->finding(report, BACKSTAY_OK, "rights",
                        "running as root: every file, owner and attribute can be read");
    else
        report->finding(report, BACKSTAY_INFO, "rights",
                        "running as uid %u: files that it may not read are left out with a "
                        "warning, trusted.* attributes are not seen, and a restore as this user "
                        "cannot give files to other owners",
                        (unsigned)geteuid());
}

int media_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    const struct media *media = self;
    int fd = media_open_quietly(AT_FDCWD, media->path, O_RDONLY | O_DIRECTORY);

    (void)err;
    if (fd < 0) {
        report->finding(report, BACKSTAY_BAD, "path", "open media folder %s: %s", media->path,
                        media_why(errno));
        return 0;
    }
    const char *file_system = media_file_system(media->path);
    report->finding(report, BACKSTAY_OK, "path", "%s is a folder%s%s", media->path,
                    file_system ? " on " : "", file_system ? file_system : "");
    check_rights(report);
    check_entries(media, fd, report);
    close(fd);
    return 0;
}
