/* src/engine/export.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/export.h"

#include "codec/archive.h"

#include <string.h>
#include <sys/stat.h>

enum { READ_BYTES = 1024 * 1024 };

struct exporting {
    const struct stay_export_options *options;
    struct stay_archive *archive;
    struct stay_feed *feed;
    struct backstay_feed *abi;
    struct stay_map *links; /* link group -> the path written first */
    struct stay_buf buffer;
};

static mode_t type_bits(uint32_t type)
{
    static const mode_t bits[] = {
        [BACKSTAY_FILE] = S_IFREG,    [BACKSTAY_DIR] = S_IFDIR,     [BACKSTAY_SYMLINK] = S_IFLNK,
        [BACKSTAY_FIFO] = S_IFIFO,    [BACKSTAY_CHARDEV] = S_IFCHR, [BACKSTAY_BLOCKDEV] = S_IFBLK,
        [BACKSTAY_SOCKET] = S_IFSOCK,
    };

    return bits[type];
}

/* The content's bytes go to their places in the file, as far as the extents say. */
static int send_piece(struct exporting *exporting, const struct backstay_entry *entry,
                      uint64_t content_at, const char *data, size_t len, struct stay_err *err)
{
    uint64_t begin = 0;

    if (!entry->sparse)
        return stay_archive_data(exporting->archive, content_at, data, len, err);
    for (size_t i = 0; i < entry->n_extents && len > 0; i++) {
        const struct backstay_extent *extent = &entry->extents[i];
        uint64_t inside = content_at - begin;
        if (inside < extent->length) {
            size_t n = (size_t)STAY_MIN((uint64_t)len, extent->length - inside);
            if (stay_archive_data(exporting->archive, extent->offset + inside, data, n, err) < 0)
                return -1;
            data += n;
            len -= n;
            content_at += n;
        }
        begin += extent->length;
    }
    return 0;
}

static int send_content(struct exporting *exporting, uint64_t index,
                        const struct backstay_entry *entry, struct stay_err *err)
{
    struct backstay_reader *reader = NULL;
    struct stay_feed_result result;
    uint64_t at = 0;
    ssize_t n = 0;
    int rc = 0;

    if (exporting->abi->open(exporting->abi, index, &reader) < 0)
        return stay_fail(err, STAY_ERR_CORRUPT, "%s cannot be read", entry->path);
    char *data = stay_buf_reserve(&exporting->buffer, READ_BYTES);
    while (rc == 0 && (n = exporting->abi->read(exporting->abi, reader, data, READ_BYTES)) > 0) {
        rc = send_piece(exporting, entry, at, data, (size_t)n, err);
        at += (uint64_t)n;
    }
    exporting->abi->close(exporting->abi, reader);
    if (rc == 0 && n < 0) {
        stay_feed_result(exporting->feed, &result);
        if (stay_cancelled(exporting->options->cancel))
            return stay_fail_cancelled(err);
        return stay_fail(err, STAY_ERR_CORRUPT, "%s: %s; the archive is not complete", entry->path,
                         result.n_problems ? result.problems[0].text : "cannot be read");
    }
    if (rc == 0 && at != stay_manifest_content_bytes(entry))
        return stay_fail(err, STAY_ERR_CORRUPT, "%s: its chunks do not add up to its size",
                         entry->path);
    return rc;
}

static const char *link_of(struct exporting *exporting, const struct backstay_entry *entry)
{
    if (entry->link_group == 0 || entry->type != BACKSTAY_FILE)
        return NULL;
    const char *first =
        stay_map_get(exporting->links, &entry->link_group, sizeof entry->link_group);
    if (first == NULL)
        stay_map_set(exporting->links, &entry->link_group, sizeof entry->link_group,
                     stay_strdup(entry->path));
    return first;
}

static int send_entry(struct exporting *exporting, uint64_t index,
                      const struct backstay_entry *entry, struct stay_err *err)
{
    if (entry->type == BACKSTAY_SOCKET)
        return 0; /* no archive format has them, and nobody restores one */
    stay_auto_free struct stay_archive_xattr *xattrs = stay_calloc(entry->n_xattrs, sizeof *xattrs);
    stay_auto_free struct stay_archive_extent *extents =
        stay_calloc(entry->n_extents, sizeof *extents);
    for (uint32_t i = 0; i < entry->n_xattrs; i++)
        xattrs[i] = (struct stay_archive_xattr){entry->xattrs[i].name, entry->xattrs[i].value,
                                                entry->xattrs[i].value_len};
    for (size_t i = 0; i < entry->n_extents; i++)
        extents[i] =
            (struct stay_archive_extent){entry->extents[i].offset, entry->extents[i].length};
    bool has_mode = entry->flags & BACKSTAY_ENTRY_HAS_MODE;
    const struct stay_archive_member member = {
        .path = entry->path_len ? entry->path : ".",
        .mode = type_bits(entry->type) | (has_mode ? entry->mode : 0600),
        .uid = entry->uid,
        .gid = entry->gid,
        .user = entry->user,
        .group = entry->group,
        .mtime_s = entry->mtime_s,
        .mtime_ns = entry->mtime_ns,
        .bytes = entry->type == BACKSTAY_FILE ? entry->bytes : 0,
        .target = entry->type == BACKSTAY_SYMLINK ? entry->target : NULL,
        .hardlink = link_of(exporting, entry),
        .rdev_major = entry->rdev_major,
        .rdev_minor = entry->rdev_minor,
        .extents = extents,
        .n_extents = entry->n_extents,
        .sparse = entry->sparse,
        .xattrs = xattrs,
        .n_xattrs = entry->n_xattrs,
    };
    if (stay_archive_add(exporting->archive, &member, err) < 0)
        return stay_prefix(err, "%s", entry->path);
    if (entry->type == BACKSTAY_FILE && member.hardlink == NULL)
        return send_content(exporting, index, entry, err);
    return 0;
}

static int send_all(struct exporting *exporting, struct stay_err *err)
{
    struct backstay_cursor *cursor = exporting->abi->cursor_open(exporting->abi);
    int rc = 0;

    for (uint64_t i = 0; i < exporting->abi->n_entries && rc == 0; i++) {
        const struct backstay_entry *entry = exporting->abi->entry(exporting->abi, cursor, i);
        if (entry == NULL)
            rc = stay_cancelled(exporting->options->cancel)
                     ? stay_fail_cancelled(err)
                     : stay_fail(err, STAY_ERR_CORRUPT, "a manifest line is malformed");
        else
            rc = send_entry(exporting, i, entry, err);
        if (rc == 0)
            exporting->abi->done(exporting->abi, i, 0);
    }
    exporting->abi->cursor_close(exporting->abi, cursor);
    return rc == 0 ? stay_archive_close(exporting->archive, err) : rc;
}

static int check_whole(const struct stay_view *view, struct stay_err *err)
{
    size_t bytes;
    size_t lines;
    const struct stay_err *damage = stay_tree_damage(view->tree, &bytes, &lines);

    if (damage == NULL)
        return 0;
    *err = *damage;
    return stay_prefix(err, "%zu bytes of the manifest are lost, so the archive would lack entries",
                       bytes);
}

int stay_export(const struct stay_export_options *options, struct stay_err *err)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    stay_auto(stay_feed_free) struct stay_feed *feed = NULL;
    stay_auto(stay_archive_free) struct stay_archive *archive = NULL;
    stay_auto(stay_map_free) struct stay_map *links = stay_map_new(free);
    stay_auto_free uint32_t *entries = NULL;
    size_t n;

    if (check_whole(options->view, err) < 0 ||
        stay_tree_select(options->view->tree, &options->patterns, &entries, &n, err) < 0 ||
        stay_repository_index(options->repository, options->index_cache, &index, NULL, err) < 0 ||
        stay_repository_reindex(options->repository, options->view->snapshot, index, err) < 0 ||
        stay_archive_new(&archive, options->fd, options->level, err) < 0)
        return -1;
    const struct stay_feed_options feed_options = {
        .dest = options->repository->dest,
        .index = index,
        .tree = options->view->tree,
        .entries = entries,
        .n = n,
        .threads = 1,
        .cancel = options->cancel,
        .progress = options->progress,
    };
    feed = stay_feed_new(&feed_options);
    struct exporting exporting = {.options = options,
                                  .archive = archive,
                                  .feed = feed,
                                  .abi = stay_feed_abi(feed),
                                  .links = links};
    if (options->progress) {
        atomic_store(&options->progress->phase, "exporting");
        atomic_store(&options->progress->entries_total, n);
    }
    int rc = send_all(&exporting, err);
    stay_buf_free(&exporting.buffer);
    return rc;
}
