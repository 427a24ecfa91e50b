/* src/codec/archive.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "codec/archive.h"

#include "codec/ustar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stay_archive {
    struct archive *writer;
    struct archive_entry *entry;
    int fd;
    uint64_t at;    /* in the member's content */
    uint64_t bytes; /* of the member */
    bool given_up;  /* nothing more is written */
};

static int fail(struct stay_archive *archive, const char *what, struct stay_err *err)
{
    const char *why = archive_error_string(archive->writer);

    return stay_fail(err, STAY_ERR_IO, "%s: %s", what, why ? why : "unknown error");
}

/* libarchive fills up an entry that was broken off with zeros, for ever where it is large, unless
 * writing fails. */
static la_ssize_t write_out(struct archive *writer, void *ctx, const void *data, size_t len)
{
    const struct stay_archive *archive = ctx;
    ssize_t n = -1;

    if (archive->given_up) {
        archive_set_error(writer, ECANCELED, "given up");
        return -1;
    }
    do {
        n = write(archive->fd, data, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        archive_set_error(writer, errno, "Write error");
    return n;
}

int stay_archive_new(struct stay_archive **out, int fd, int level, struct stay_err *err)
{
    stay_auto(stay_archive_free) struct stay_archive *archive = stay_new(struct stay_archive);
    stay_auto_str char *text = stay_strf("%d", level);

    archive->fd = fd;
    archive->writer = archive_write_new();
    archive->entry = archive_entry_new();
    if (archive->writer == NULL || archive->entry == NULL)
        abort();
    if (archive_write_set_format_pax(archive->writer) != ARCHIVE_OK ||
        archive_write_set_format_option(archive->writer, "pax", "xattrheader", "SCHILY") !=
            ARCHIVE_OK ||
        archive_write_add_filter_zstd(archive->writer) != ARCHIVE_OK ||
        archive_write_set_filter_option(archive->writer, "zstd", "compression-level", text) !=
            ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(archive->writer, 1) != ARCHIVE_OK ||
        archive_write_open(archive->writer, archive, NULL, write_out, NULL) != ARCHIVE_OK)
        return fail(archive, "begin the archive", err);
    *out = stay_steal(&archive);
    return 0;
}

static void set_owner(struct archive_entry *entry, const struct stay_archive_member *member)
{
    archive_entry_set_uid(entry, member->uid);
    archive_entry_set_gid(entry, member->gid);
    if (member->user)
        archive_entry_set_uname(entry, member->user);
    if (member->group)
        archive_entry_set_gname(entry, member->group);
    archive_entry_set_mtime(entry, (time_t)member->mtime_s, (long)member->mtime_ns);
}

static void set_special(struct archive_entry *entry, const struct stay_archive_member *member)
{
    if (member->hardlink)
        archive_entry_set_hardlink(entry, member->hardlink);
    if (member->target)
        archive_entry_set_symlink(entry, member->target);
    if (S_ISCHR(member->mode) || S_ISBLK(member->mode)) {
        archive_entry_set_rdevmajor(entry, member->rdev_major);
        archive_entry_set_rdevminor(entry, member->rdev_minor);
    }
    for (size_t i = 0; i < member->n_xattrs; i++)
        archive_entry_xattr_add_entry(entry, member->xattrs[i].name, member->xattrs[i].value,
                                      member->xattrs[i].value_len);
}

static bool is_all_hole(const struct stay_archive_member *member)
{
    for (size_t i = 0; i < member->n_extents; i++)
        if (member->extents[i].length > 0)
            return false;
    return member->sparse;
}

static void add_extent(struct archive_entry *entry, uint64_t begin, uint64_t end)
{
    if (end > begin)
        archive_entry_sparse_add_entry(entry, (la_int64_t)begin, (la_int64_t)(end - begin));
}

/* GNU tar 1.34 looks for each extent at the begin of a block, so extents are widened to whole
 * blocks. It refuses a map without data ("numeric overflow"), so one byte of a file that is all
 * hole counts as data. */
static void set_extents(struct archive_entry *entry, const struct stay_archive_member *member)
{
    uint64_t begin = 0;
    uint64_t end = 0;

    for (size_t i = 0; i < member->n_extents; i++) {
        const struct stay_archive_extent *extent = &member->extents[i];
        if (extent->length == 0)
            continue;
        uint64_t from = extent->offset - extent->offset % STAY_USTAR_BLOCK;
        if (from > end) {
            add_extent(entry, begin, end);
            begin = from;
        }
        end = STAY_MIN(stay_ustar_padded(extent->offset + extent->length), member->bytes);
    }
    add_extent(entry, begin, end);
    if (is_all_hole(member) && member->bytes > 0)
        add_extent(entry, member->bytes - 1, member->bytes);
}

static int write_all(struct stay_archive *archive, const void *data, size_t len,
                     struct stay_err *err)
{
    const char *from = data;

    while (len > 0) {
        la_ssize_t n = archive_write_data(archive->writer, from, len);
        if (n <= 0)
            return fail(archive, "write the archive", err);
        from += n;
        len -= (size_t)n;
        archive->at += (uint64_t)n;
    }
    return 0;
}

/* libarchive wants holes as zeros, and leaves them out by its list of extents. */
static int write_zeros(struct stay_archive *archive, uint64_t until, struct stay_err *err)
{
    static const char zeros[65536];

    while (archive->at < until)
        if (write_all(archive, zeros, STAY_MIN(sizeof zeros, until - archive->at), err) < 0)
            return -1;
    return 0;
}

int stay_archive_add(struct stay_archive *archive, const struct stay_archive_member *member,
                     struct stay_err *err)
{
    struct archive_entry *entry = archive_entry_clear(archive->entry);

    archive_entry_set_pathname(entry, member->path);
    archive_entry_set_mode(entry, member->mode);
    set_owner(entry, member);
    archive_entry_set_size(entry, member->hardlink ? 0 : (la_int64_t)member->bytes);
    set_special(entry, member);
    set_extents(entry, member);
    archive->at = 0;
    archive->bytes = member->hardlink ? 0 : member->bytes;
    if (archive_write_header(archive->writer, entry) < ARCHIVE_WARN)
        return fail(archive, "write an archive member", err);
    /* libarchive writes the map of a sparse file with the first byte of its content. */
    if (is_all_hole(member))
        return write_zeros(archive, archive->bytes, err);
    return 0;
}

int stay_archive_data(struct stay_archive *archive, uint64_t offset, const void *data, size_t len,
                      struct stay_err *err)
{
    if (write_zeros(archive, offset, err) < 0)
        return -1;
    return write_all(archive, data, len, err);
}

int stay_archive_close(struct stay_archive *archive, struct stay_err *err)
{
    if (archive_write_close(archive->writer) != ARCHIVE_OK)
        return fail(archive, "end the archive", err);
    return 0;
}

void stay_archive_free(struct stay_archive *archive)
{
    if (archive == NULL)
        return;
    archive->given_up = true;
    if (archive->writer)
        (void)archive_write_free(archive->writer);
    archive_entry_free(archive->entry);
    free(archive);
}
