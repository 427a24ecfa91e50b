/* plugins/source/media/output.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writes the contents of files as the host delivers them, from several threads.
 *
 * What comes whole is written under its own name where nothing is in its place; what comes in
 * pieces, or replaces something, gets a temporary name until it is complete, so that neither an
 * end of the process nor a damaged piece leaves behind what would pass for the file.
 */
#include "restore.h"

#include "partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct media_output {
    struct media_run *run;
    struct media_partials *partials;
};

/* ---------------------------------------------------------------- helpers */

/* @what was not possible, and errno says why. The host knows what it was about. */
static int fail(struct media_run *run, struct backstay_error *err, const char *what)
{
    int error = errno;

    return run->host->fail(run->host, err, media_kind(error), "not restored: %s: %s", what,
                           error == EBADMSG ? "the content does not fit its description"
                                            : media_why(error));
}

static struct media_place *open_folder_of(struct media_run *run, const struct backstay_entry *entry,
                                          struct backstay_error *err)
{
    size_t len = media_parent_len(entry->path, entry->path_len);
    struct media_place *place = media_places_open(&run->places, entry->path, len, false);

    if (place == NULL)
        (void)run->host->fail(run->host, err, BACKSTAY_ERR_IO, "not restored: %s",
                              media_place_why(errno));
    return place;
}

/* What came of a call for an entry. @done: its content is complete. */
static int conclude(struct media_run *run, uint64_t index, int r)
{
    run->states[index] = r == 0 ? MEDIA_DONE : MEDIA_FAILED;
    if (r == 0)
        run->feed->done(run->feed, index, 0);
    return r;
}

/* ---------------------------------------------------------------- whole files */

/* The mode to make a file with: its own where the owner will not change, else for us alone. */
static mode_t first_mode(const struct media_place *place, const struct backstay_entry *entry)
{
    bool known = __atomic_load_n(&place->learned, __ATOMIC_ACQUIRE);

    if ((entry->flags & BACKSTAY_ENTRY_HAS_MODE) == 0)
        return 0644;
    if (entry->n_xattrs > 0)
        return 0600;
    if (known && place->uid == entry->uid && place->gid == entry->gid)
        return entry->mode & 0777;
    return entry->mode & 0700;
}

static struct media_thing thing_of(struct media_run *run, struct media_place *place, int fd,
                                   mode_t asked)
{
    int mask = run->applier.umask;
    mode_t expected = asked & ~(mode_t)(mask < 0 ? 0777 : mask);

    if (!__atomic_load_n(&place->learned, __ATOMIC_ACQUIRE))
        media_place_learn(&run->places, place, fd, expected);
    bool known = __atomic_load_n(&place->learned, __ATOMIC_ACQUIRE);
    return (struct media_thing){.fd = fd,
                                .known = known && mask >= 0 && !place->odd_modes,
                                .inherits_acl = known && place->inherits_acl,
                                .uid = place->uid,
                                .gid = place->gid,
                                .mode = expected};
}

static int write_content(int fd, const struct backstay_entry *entry, const char *data, size_t len)
{
    struct media_holes holes;

    if (!entry->sparse)
        return len == entry->bytes ? media_write_at(fd, data, len, 0) : (errno = EBADMSG, -1);
    if (media_holes_new(&holes, entry) != 0)
        return -1;
    int r = ftruncate(fd, (off_t)entry->bytes);
    if (r == 0)
        r = media_holes_write(&holes, fd, 0, data, len);
    int error = errno;
    media_holes_free(&holes);
    errno = error;
    return r;
}

static int fill(struct media_run *run, struct media_place *place, int fd, mode_t asked,
                const struct backstay_entry *entry, const void *data, size_t len,
                struct backstay_error *err)
{
    if (write_content(fd, entry, data, len) != 0) {
        (void)fail(run, err, "write");
        return -1;
    }
    struct media_thing thing = thing_of(run, place, fd, asked);
    /* The content is there: what is said about its attributes does not take it away again. */
    return media_apply(&run->applier, &thing, entry, err) == 0 ? 0 : 1;
}

static int write_whole(struct media_run *run, uint64_t index, struct media_place *place,
                       const struct backstay_entry *entry, const void *data, size_t len,
                       struct backstay_error *err)
{
    bool replace = run->states[index] == MEDIA_REPLACE;
    const char *name = media_base_name(entry->path, entry->path_len);
    char temp[MEDIA_TEMP_NAME];
    const char *at = name;

    if (replace) {
        media_temp_name(run, index, temp);
        at = temp;
    }
    mode_t asked = first_mode(place, entry);
    int fd = openat(place->fd, at, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, asked);
    if (fd < 0)
        return fail(run, err, "create");
    int r = fill(run, place, fd, asked, entry, data, len, err);
    if (close(fd) != 0 && r >= 0)
        r = fail(run, err, "write");
    if (r >= 0 && replace && renameat(place->fd, temp, place->fd, name) != 0)
        r = fail(run, err, "replace");
    if (r < 0)
        (void)unlinkat(place->fd, at, 0);
    return r == 0 ? 0 : -1;
}

static int output_whole(void *ctx, uint64_t index, const struct backstay_entry *entry,
                        const void *data, size_t len, struct backstay_error *err)
{
    struct media_output *output = ctx;
    struct media_run *run = output->run;
    int r = -1;

    struct media_place *place = open_folder_of(run, entry, err);
    if (place) {
        r = write_whole(run, index, place, entry, data, len, err);
        media_places_close(&run->places, place);
    }
    return conclude(run, index, r);
}

/* ---------------------------------------------------------------- files in pieces */

static int output_piece(void *ctx, uint64_t index, const struct backstay_entry *entry,
                        uint64_t offset, const void *data, size_t len, struct backstay_error *err)
{
    struct media_output *output = ctx;
    struct media_run *run = output->run;

    struct media_place *place = open_folder_of(run, entry, err);
    if (place == NULL)
        return -1;
    int r = media_partial_write(output->partials, index, place->fd, entry, offset, data, len);
    if (r != 0)
        (void)fail(run, err, "write");
    media_places_close(&run->places, place);
    return r;
}

/* Makes the complete file at @fd what it is to be, and gives it its name. */
static int complete(struct media_run *run, uint64_t index, struct media_place *place, int fd,
                    const struct backstay_entry *entry, struct backstay_error *err)
{
    const char *name = media_base_name(entry->path, entry->path_len);
    bool replace = run->states[index] == MEDIA_REPLACE;
    struct media_thing thing = thing_of(run, place, fd, 0600);
    char temp[MEDIA_TEMP_NAME];
    int r = 0;

    media_temp_name(run, index, temp);
    int applied = media_apply(&run->applier, &thing, entry, err);
    if (close(fd) != 0)
        r = fail(run, err, "write");
    else if (media_move_in(place->fd, temp, name, replace) != 0)
        r = fail(run, err, "give the complete file its name");
    if (r != 0)
        (void)unlinkat(place->fd, temp, 0);
    return r != 0 ? r : applied;
}

static int output_finish(void *ctx, uint64_t index, const struct backstay_entry *entry, int damaged,
                         struct backstay_error *err)
{
    struct media_output *output = ctx;
    struct media_run *run = output->run;
    char temp[MEDIA_TEMP_NAME];
    int r = -1;

    struct media_place *place = open_folder_of(run, entry, err);
    if (place == NULL)
        return conclude(run, index, -1);
    int fd = media_partial_take(output->partials, index, place->fd);
    if (fd >= 0 && !damaged) {
        r = complete(run, index, place, fd, entry, err);
    } else {
        /* Of damage the host has told already. */
        if (!damaged)
            (void)fail(run, err, "write");
        if (fd >= 0)
            close(fd);
        media_temp_name(run, index, temp);
        (void)unlinkat(place->fd, temp, 0);
    }
    media_places_close(&run->places, place);
    r = conclude(run, index, r);
    return damaged ? 0 : r;
}

/* ---------------------------------------------------------------- life */

struct media_output *media_output_new(struct media_run *run)
{
    struct media_output *output = plug_alloc(1, sizeof *output);

    output->run = run;
    output->partials = media_partials_new(run);
    return output;
}

void media_output_free(struct media_output *output)
{
    media_partials_free(output->partials);
    free(output);
}

const struct backstay_bulk *media_output_ops(void)
{
    static const struct backstay_bulk ops = {
        .size = sizeof ops, .whole = output_whole, .piece = output_piece, .finish = output_finish};

    return &ops;
}
