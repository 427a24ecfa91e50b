/* src/store/index_cache.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The index as a local file to be mapped: a header, the ids of the index objects it came from, and
 * the three tables, in this machine's byte order; it never leaves the machine. Its SHA-256 is
 * checked each time: a cache that lies about what is stored would be a hole in the next backup.
 */
#include "store/index_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
    char magic[8];
    uint64_t n_objects;
    uint64_t n_packs;
    uint64_t n_frames;
    uint64_t n_chunks;
    uint64_t n_bases;
    struct stay_id sum; /* of everything behind the header */
};

static const char magic[8] = "BSIDX\0\0\2";

struct part {
    const void *data;
    size_t len;
};

enum { PARTS = 5, SAVE_BUSY = 1 };

/*
 * Opens the file that will take the place of the cache. Several runs may save at the same time, and
 * none may write to what another has just put in place, because a third has it mapped: the one that
 * has the lock on the file of this name writes.
 */
static int open_new(int *out, const char *path, struct stay_err *err)
{
    stay_auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct stat opened;
    struct stat named;

    if (fd < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "create %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return SAVE_BUSY;
    if (fstat(fd, &opened) != 0 || stat(path, &named) != 0 || opened.st_ino != named.st_ino ||
        opened.st_dev != named.st_dev)
        return SAVE_BUSY;
    if (ftruncate(fd, 0) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "empty %s", path);
    *out = stay_steal_fd(&fd);
    return 0;
}

static int write_parts(int fd, const char *path, const struct header *header,
                       const struct part parts[static PARTS], struct stay_err *err)
{
    if (stay_fs_write_all(fd, path, header, sizeof *header, err) < 0)
        return -1;
    for (size_t i = 0; i < PARTS; i++)
        if (stay_fs_write_all(fd, path, parts[i].data, parts[i].len, err) < 0)
            return -1;
    return 0;
}

int stay_index_save(const struct stay_index *index, const char *path, struct stay_err *err)
{
    const struct part parts[PARTS] = {
        {index->objects.items, index->objects.n * sizeof *index->objects.items},
        {index->packs.items, index->packs.n * sizeof *index->packs.items},
        {index->frames.items, index->frames.n * sizeof *index->frames.items},
        {index->chunks.items, index->chunks.n * sizeof *index->chunks.items},
        {index->bases.items, index->bases.n * sizeof *index->bases.items},
    };
    struct header header = {.n_objects = index->objects.n,
                            .n_packs = index->packs.n,
                            .n_frames = index->frames.n,
                            .n_chunks = index->chunks.n,
                            .n_bases = index->bases.n};
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_str char *temporary = stay_strf("%s.new", path);
    stay_auto_fd int fd = -1;

    int rc = open_new(&fd, temporary, err);
    if (rc != 0)
        return rc == SAVE_BUSY ? 0 : -1;
    memcpy(header.magic, magic, sizeof magic);
    stay_digest_begin(digest);
    for (size_t i = 0; i < PARTS; i++)
        stay_digest_add(digest, parts[i].data, parts[i].len);
    stay_digest_end(digest, &header.sum);
    if (write_parts(fd, temporary, &header, parts, err) < 0) {
        (void)unlink(temporary); /* it may be what fills the disk */
        return -1;
    }
    if (rename(temporary, path) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "rename %s", temporary);
    return 0;
}

static bool take(uint64_t *left, uint64_t n, size_t size)
{
    uint64_t bytes;

    if (__builtin_mul_overflow(n, (uint64_t)size, &bytes) || bytes > *left)
        return false;
    *left -= bytes;
    return true;
}

static bool header_sound(const struct header *header, size_t file_bytes)
{
    uint64_t left = file_bytes - sizeof *header;

    if (memcmp(header->magic, magic, sizeof magic) != 0)
        return false;
    if (!take(&left, header->n_objects, sizeof(struct stay_id)) ||
        !take(&left, header->n_packs, sizeof(struct stay_index_pack)) ||
        !take(&left, header->n_frames, sizeof(struct stay_index_frame)) ||
        !take(&left, header->n_chunks, sizeof(struct stay_index_chunk)) ||
        !take(&left, header->n_bases, sizeof(struct stay_frame_base)) || left != 0)
        return false;
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id sum;
    stay_digest_of(digest, header + 1, file_bytes - sizeof *header, &sum);
    return stay_id_equal(&sum, &header->sum);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, STAY_ID_BYTES);
}

/* Marks which of @objects the cache covers; false when it has one that is not among them. */
static bool mark_covered(const struct header *header, const struct stay_id *objects, size_t n,
                         bool *covered, size_t *n_covered)
{
    const struct stay_id *own = (const struct stay_id *)(header + 1);

    *n_covered = 0;
    for (uint64_t i = 0; i < header->n_objects; i++) {
        const struct stay_id *at =
            n ? bsearch(&own[i], objects, n, sizeof *objects, compare_ids) : NULL;
        if (at == NULL)
            return false;
        covered[at - objects] = true;
        (*n_covered)++;
    }
    return true;
}

static void place_tables(struct stay_index *index, const struct header *header)
{
    char *at = (char *)(index->mapping) + sizeof *header;

    for (uint64_t i = 0; i < header->n_objects; i++, at += STAY_ID_BYTES)
        stay_index_note(index, (const struct stay_id *)(const void *)at);

    index->packs.items = (struct stay_index_pack *)(void *)at;
    index->packs.n = header->n_packs;
    at += header->n_packs * sizeof *index->packs.items;
    index->frames.items = (struct stay_index_frame *)(void *)at;
    index->frames.n = header->n_frames;
    at += header->n_frames * sizeof *index->frames.items;
    index->chunks.items = (struct stay_index_chunk *)(void *)at;
    index->chunks.n = index->n_sorted = header->n_chunks;
    at += header->n_chunks * sizeof *index->chunks.items;
    index->bases.items = (struct stay_frame_base *)(void *)at;
    index->bases.n = header->n_bases;
    for (size_t i = 0; i < index->packs.n; i++)
        stay_map_set(index->pack_numbers, &index->packs.items[i].id, STAY_ID_BYTES,
                     (void *)(uintptr_t)(i + 1));
}

int stay_index_map(struct stay_index **out, const char *path, const struct stay_id *objects,
                   size_t n, bool *covered, size_t *n_covered)
{
    stay_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(struct header))
        return STAY_INDEX_STALE;
    void *mapping = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED)
        return STAY_INDEX_STALE;
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    index->mapping = mapping;
    index->mapped_bytes = (size_t)st.st_size;
    if (!header_sound(mapping, index->mapped_bytes) ||
        !mark_covered(mapping, objects, n, covered, n_covered)) {
        if (n)
            memset(covered, 0, n * sizeof *covered);
        *n_covered = 0;
        return STAY_INDEX_STALE;
    }
    place_tables(index, mapping);
    *out = stay_steal(&index);
    return 0;
}
