/* src/engine/last.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The file: a header; the text of all records (path, token, line, one after the other); a table of
 * records in the order of paths; a hash table of record numbers. Byte order is this machine's; the
 * file never leaves it. Its SHA-256 is checked when it is opened: a torn write after a crash must
 * not pass for knowledge.
 */
#include "engine/last.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
    char magic[8];
    uint64_t text_bytes; /* a multiple of 8 */
    uint64_t n_records;
    uint64_t n_slots; /* a power of two, more than n_records */
    struct stay_id sum;
};

struct record {
    uint64_t offset; /* in the text: path, token, line */
    uint32_t path_len;
    uint32_t token_len;
    uint32_t line_len;
    uint32_t hash;
};

/* HASH_STEP: bytes hashed at a time. LOOK_UP: what finding a record touches besides its line. */
enum { HASH_STEP = 1024 * 1024, LOOK_UP = 512 };

static const char magic[8] = "BSLAST\0\1";

struct stay_last {
    struct stay_window *window; /* over the whole file */
    const struct header *header;
    const char *text;
    const struct record *records;
    const uint32_t *slots; /* number + 1; 0: free */
};

static bool layout_sound(const struct header *header, uint64_t file_bytes)
{
    uint64_t left = file_bytes - sizeof *header;

    if (memcmp(header->magic, magic, sizeof magic) != 0 || header->text_bytes % 8 ||
        header->text_bytes > left)
        return false;
    left -= header->text_bytes;
    if (header->n_records > left / sizeof(struct record))
        return false;
    left -= header->n_records * sizeof(struct record);
    return header->n_slots > header->n_records && (header->n_slots & (header->n_slots - 1)) == 0 &&
           left == header->n_slots * sizeof(uint32_t);
}

/* Counts as touching what is hashed, so that a large file does not become resident. */
static bool content_sound(struct stay_window *window)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    const struct header *header = window->data;
    const char *content = (const char *)(header + 1);
    size_t len = window->len - sizeof *header;
    struct stay_id expected = header->sum;
    struct stay_id sum;

    stay_digest_begin(digest);
    for (size_t at = 0; at < len; at += HASH_STEP) {
        size_t n = STAY_MIN(len - at, (size_t)HASH_STEP);
        stay_digest_add(digest, content + at, n);
        stay_window_touch(window, n);
    }
    stay_digest_end(digest, &sum);
    return stay_id_equal(&sum, &expected);
}

struct stay_last *stay_last_open(const char *path)
{
    stay_auto(stay_last_free) struct stay_last *last = stay_new(struct stay_last);
    stay_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    last->window = stay_new(struct stay_window);
    if (fd < 0 || fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(struct header) ||
        stay_window_open(last->window, fd, (size_t)st.st_size, PROT_READ) < 0)
        return NULL;
    const struct header *header = last->window->data;
    if (!layout_sound(header, (uint64_t)st.st_size) || !content_sound(last->window))
        return NULL;
    last->header = header;
    last->text = (const char *)(header + 1);
    last->records = (const struct record *)(const void *)(last->text + header->text_bytes);
    last->slots = (const uint32_t *)(last->records + header->n_records);
    return stay_steal(&last);
}

void stay_last_free(struct stay_last *last)
{
    if (last == NULL)
        return;
    stay_window_close(last->window);
    free(last->window);
    free(last);
}

size_t stay_last_count(const struct stay_last *last)
{
    return last->header->n_records;
}

int64_t stay_last_find(const struct stay_last *last, const char *path, size_t path_len,
                       const void *token, size_t token_len)
{
    uint32_t hash = (uint32_t)stay_map_hash(path, path_len);
    uint64_t mask = last->header->n_slots - 1;

    for (uint64_t i = hash & mask; last->slots[i]; i = (i + 1) & mask) {
        const struct record *record = &last->records[last->slots[i] - 1];
        const char *text = last->text + record->offset;
        if (record->hash != hash || record->path_len != path_len ||
            memcmp(text, path, path_len) != 0)
            continue;
        if (token_len == 0 || record->token_len != token_len ||
            memcmp(text + path_len, token, token_len) != 0)
            return -1;
        return last->slots[i] - 1;
    }
    return -1;
}

void stay_last_get(const struct stay_last *last, size_t number, struct stay_last_record *out)
{
    const struct record *record = &last->records[number];

    stay_window_touch(last->window, LOOK_UP + record->line_len);
    out->path = last->text + record->offset;
    out->path_len = record->path_len;
    out->token = out->path + record->path_len;
    out->token_len = record->token_len;
    out->line = out->path + record->path_len + record->token_len;
    out->line_len = record->line_len;
}

/* ---- writing */

enum { FLUSH_BYTES = 256 * 1024 };

struct stay_last_writer {
    char *path;
    char *temporary;
    int fd;
    struct stay_buf text; /* not yet written */
    uint64_t text_bytes;
    struct stay_digest *digest;
    STAY_VEC(struct record) records;
};

int stay_last_create(struct stay_last_writer **out, const char *path, struct stay_err *err)
{
    stay_auto(stay_last_writer_free) struct stay_last_writer *writer =
        stay_new(struct stay_last_writer);
    const struct header empty = {0};

    writer->path = stay_strdup(path);
    writer->temporary = stay_strf("%s.new", path);
    writer->digest = stay_digest_new();
    stay_digest_begin(writer->digest);
    writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (writer->fd < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "create %s", writer->temporary);
    if (stay_fs_write_all(writer->fd, writer->temporary, &empty, sizeof empty, err) < 0)
        return -1;
    *out = stay_steal(&writer);
    return 0;
}

static int put(struct stay_last_writer *writer, const void *data, size_t len, struct stay_err *err)
{
    stay_digest_add(writer->digest, data, len);
    return stay_fs_write_all(writer->fd, writer->temporary, data, len, err);
}

int stay_last_add(struct stay_last_writer *writer, const struct stay_last_record *record,
                  struct stay_err *err)
{
    *stay_vec_push(&writer->records) =
        (struct record){writer->text_bytes, record->path_len, record->token_len, record->line_len,
                        (uint32_t)stay_map_hash(record->path, record->path_len)};
    stay_buf_add(&writer->text, record->path, record->path_len);
    stay_buf_add(&writer->text, record->token, record->token_len);
    stay_buf_add(&writer->text, record->line, record->line_len);
    writer->text_bytes += (uint64_t)record->path_len + record->token_len + record->line_len;
    if (writer->text.len < FLUSH_BYTES)
        return 0;
    int rc = put(writer, writer->text.data, writer->text.len, err);
    stay_buf_clear(&writer->text);
    return rc;
}

static int put_slots(struct stay_last_writer *writer, uint64_t n_slots, struct stay_err *err)
{
    stay_auto_free uint32_t *slots = stay_calloc(n_slots, sizeof *slots);

    for (size_t i = 0; i < writer->records.n; i++) {
        uint64_t at = writer->records.items[i].hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = (uint32_t)i + 1;
    }
    return put(writer, slots, n_slots * sizeof *slots, err);
}

int stay_last_commit(struct stay_last_writer *writer, struct stay_err *err)
{
    struct header header = {.n_records = writer->records.n, .n_slots = 16};

    if (writer->records.n >= UINT32_MAX)
        return stay_fail(err, STAY_ERR_IO, "too many entries for %s", writer->path);
    while (header.n_slots < 2 * header.n_records)
        header.n_slots *= 2;
    while (writer->text_bytes % 8) {
        stay_buf_char(&writer->text, '\0');
        writer->text_bytes++;
    }
    header.text_bytes = writer->text_bytes;
    memcpy(header.magic, magic, sizeof magic);
    if (put(writer, writer->text.data, writer->text.len, err) < 0 ||
        put(writer, writer->records.items, writer->records.n * sizeof(struct record), err) < 0 ||
        put_slots(writer, header.n_slots, err) < 0)
        return -1;
    stay_digest_end(writer->digest, &header.sum);
    if (pwrite(writer->fd, &header, sizeof header, 0) != sizeof header)
        return stay_fail_errno(err, STAY_ERR_IO, "write %s", writer->temporary);
    if (rename(writer->temporary, writer->path) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "rename %s", writer->temporary);
    free(writer->temporary);
    writer->temporary = NULL;
    return 0;
}

void stay_last_writer_free(struct stay_last_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        (void)close(writer->fd);
    if (writer->temporary)
        (void)unlink(writer->temporary);
    stay_buf_free(&writer->text);
    stay_vec_free(&writer->records);
    stay_digest_free(writer->digest);
    free(writer->temporary);
    free(writer->path);
    free(writer);
}
