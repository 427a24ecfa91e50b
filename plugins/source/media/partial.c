/* plugins/source/media/partial.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_OPEN = 128, SLOTS = 256 };

/* ---------------------------------------------------------------- writing */

int media_write_at(int fd, const char *data, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int contradiction(void)
{
    errno = EBADMSG;
    return -1;
}

int media_holes_new(struct media_holes *holes, const struct backstay_entry *entry)
{
    uint64_t end = 0;
    uint64_t content = 0;

    *holes = (struct media_holes){0};
    for (size_t i = 0; i < entry->n_extents; i++) {
        const struct backstay_extent *extent = &entry->extents[i];
        if (extent->offset < end || extent->length > entry->bytes ||
            extent->offset > entry->bytes - extent->length)
            return contradiction();
        end = extent->offset + extent->length;
    }
    holes->n = entry->n_extents;
    holes->extents = plug_alloc(holes->n, sizeof *holes->extents);
    holes->starts = plug_alloc(holes->n + 1, sizeof *holes->starts);
    for (size_t i = 0; i < holes->n; i++) {
        holes->extents[i] = entry->extents[i];
        holes->starts[i] = content;
        content += entry->extents[i].length;
    }
    holes->starts[holes->n] = content;
    return 0;
}

void media_holes_free(struct media_holes *holes)
{
    free(holes->extents);
    free(holes->starts);
    *holes = (struct media_holes){0};
}

int media_holes_write(const struct media_holes *holes, int fd, uint64_t offset, const char *data,
                      size_t len)
{
    uint64_t total = holes->starts[holes->n];
    size_t low = 0;
    size_t high = holes->n;

    if (len > total || offset > total - len)
        return contradiction();
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (holes->starts[middle + 1] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; len > 0; i++) {
        uint64_t inside = offset - holes->starts[i];
        size_t n = (size_t)PLUG_MIN((uint64_t)len, holes->extents[i].length - inside);
        if (media_write_at(fd, data, n, holes->extents[i].offset + inside) != 0)
            return -1;
        data += n;
        offset += n;
        len -= n;
    }
    return 0;
}

/* ---------------------------------------------------------------- the table */

struct partial {
    struct partial *next;
    struct partial *newer; /* among the open ones that nobody uses */
    struct partial *older;
    uint64_t index;
    uint64_t bytes;
    uint64_t written; /* of the content */
    unsigned users;
    bool made;
    bool sparse;
    int fd;     /* -1: closed for now */
    int error;  /* why it cannot become whole */
    char *path; /* of its folder: for removing what is left over */
    struct media_holes holes;
};

struct media_partials {
    const struct media_run *run;
    pthread_mutex_t lock;
    struct partial *slots[SLOTS];
    struct partial *oldest;
    struct partial *newest;
    unsigned n_open;
};

static void idle_append(struct media_partials *partials, struct partial *partial)
{
    partial->newer = NULL;
    partial->older = partials->newest;
    *(partials->newest ? &partials->newest->newer : &partials->oldest) = partial;
    partials->newest = partial;
}

static void idle_remove(struct media_partials *partials, struct partial *partial)
{
    *(partial->newer ? &partial->newer->older : &partials->newest) = partial->older;
    *(partial->older ? &partial->older->newer : &partials->oldest) = partial->newer;
}

static struct partial **find(struct media_partials *partials, uint64_t index)
{
    struct partial **at = &partials->slots[plug_mix(index) % SLOTS];

    while (*at && (*at)->index != index)
        at = &(*at)->next;
    return at;
}

struct media_partials *media_partials_new(const struct media_run *run)
{
    struct media_partials *partials = plug_alloc(1, sizeof *partials);

    partials->run = run;
    pthread_mutex_init(&partials->lock, NULL);
    return partials;
}

static void free_partial(struct partial *partial)
{
    media_holes_free(&partial->holes);
    free(partial->path);
    free(partial);
}

/* ---------------------------------------------------------------- opening and closing */

/* An error of close() is one of writing. */
static void close_file(struct media_partials *partials, struct partial *partial)
{
    if (close(partial->fd) != 0 && partial->error == 0)
        partial->error = errno;
    partial->fd = -1;
    partials->n_open--;
}

static struct partial *add(struct media_partials *partials, uint64_t index,
                           const struct backstay_entry *entry)
{
    struct partial *partial = plug_alloc(1, sizeof *partial);
    size_t len = media_parent_len(entry->path, entry->path_len);

    *partial = (struct partial){
        .index = index, .bytes = entry->bytes, .sparse = entry->sparse != 0, .fd = -1};
    partial->path = plug_alloc(len + 1, 1);
    memcpy(partial->path, entry->path, len);
    if (partial->sparse && media_holes_new(&partial->holes, entry) != 0)
        partial->error = errno;
    *find(partials, index) = partial;
    return partial;
}

/* Opens the file, making it the first time. Called with the lock held. @return 0 or -1. */
static int open_file(struct media_partials *partials, struct partial *partial, int dir_fd)
{
    char temp[MEDIA_TEMP_NAME];
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (partial->made ? 0 : O_CREAT | O_EXCL);

    if (partial->fd >= 0 || partial->error != 0)
        return partial->error == 0 ? 0 : -1;
    media_temp_name(partials->run, partial->index, temp);
    partial->fd = openat(dir_fd, temp, flags, 0600);
    if (partial->fd < 0) {
        partial->error = errno;
        return -1;
    }
    partials->n_open++;
    if (!partial->made && partial->sparse && ftruncate(partial->fd, (off_t)partial->bytes) != 0)
        partial->error = errno;
    partial->made = true;
    return partial->error == 0 ? 0 : -1;
}

/* @return the entry's file, open and in use by one more; NULL with errno set. */
static struct partial *acquire(struct media_partials *partials, uint64_t index, int dir_fd,
                               const struct backstay_entry *entry)
{
    pthread_mutex_lock(&partials->lock);
    struct partial *partial = *find(partials, index);
    if (partial == NULL)
        partial = add(partials, index, entry);
    else if (partial->fd >= 0 && partial->users == 0)
        idle_remove(partials, partial);
    partial->users++;
    if (open_file(partials, partial, dir_fd) != 0) {
        errno = partial->error;
        if (--partial->users == 0 && partial->fd >= 0)
            idle_append(partials, partial);
        partial = NULL;
    }
    pthread_mutex_unlock(&partials->lock);
    return partial;
}

static void release(struct media_partials *partials, struct partial *partial, size_t written,
                    int error)
{
    pthread_mutex_lock(&partials->lock);
    if (error != 0 && partial->error == 0)
        partial->error = error;
    partial->written += written;
    if (--partial->users == 0)
        idle_append(partials, partial);
    while (partials->n_open > MOST_OPEN && partials->oldest) {
        struct partial *oldest = partials->oldest;
        idle_remove(partials, oldest);
        close_file(partials, oldest);
    }
    pthread_mutex_unlock(&partials->lock);
}

/* ---------------------------------------------------------------- for output.c */

int media_partial_write(struct media_partials *partials, uint64_t index, int dir_fd,
                        const struct backstay_entry *entry, uint64_t offset, const void *data,
                        size_t len)
{
    struct partial *partial = acquire(partials, index, dir_fd, entry);
    int r;

    if (partial == NULL)
        return -1;
    if (partial->sparse)
        r = media_holes_write(&partial->holes, partial->fd, offset, data, len);
    else if (len > entry->bytes || offset > entry->bytes - len)
        r = contradiction();
    else
        r = media_write_at(partial->fd, data, len, offset);
    int error = r == 0 ? 0 : errno;
    release(partials, partial, len, error);
    errno = error;
    return r;
}

/* The whole content came, and all of it could be written. */
static int judge(const struct partial *partial)
{
    if (partial->error != 0)
        return partial->error;
    uint64_t expected = partial->sparse ? partial->holes.starts[partial->holes.n] : partial->bytes;
    return partial->written == expected ? 0 : EBADMSG;
}

int media_partial_take(struct media_partials *partials, uint64_t index, int dir_fd)
{
    int fd = -1;
    int error = ENOENT;

    pthread_mutex_lock(&partials->lock);
    struct partial **slot = find(partials, index);
    struct partial *partial = *slot;
    if (partial) {
        *slot = partial->next;
        if (partial->fd >= 0)
            idle_remove(partials, partial);
        (void)open_file(partials, partial, dir_fd);
        fd = partial->fd;
        error = judge(partial);
        if (fd >= 0)
            partials->n_open--;
        free_partial(partial);
    }
    pthread_mutex_unlock(&partials->lock);
    if (error != 0 && fd >= 0) {
        close(fd);
        fd = -1;
    }
    errno = error;
    return fd;
}

/* Only a restore that was stopped leaves any. */
void media_partials_free(struct media_partials *partials)
{
    struct media_run *run = (struct media_run *)partials->run;

    for (size_t i = 0; i < SLOTS; i++) {
        while (partials->slots[i]) {
            struct partial *partial = partials->slots[i];
            char temp[MEDIA_TEMP_NAME];
            partials->slots[i] = partial->next;
            media_temp_name(run, partial->index, temp);
            struct media_place *place =
                media_places_open(&run->places, partial->path, strlen(partial->path), false);
            if (place) {
                (void)unlinkat(place->fd, temp, 0);
                media_places_close(&run->places, place);
            }
            if (partial->fd >= 0)
                close(partial->fd);
            free_partial(partial);
        }
    }
    pthread_mutex_destroy(&partials->lock);
    free(partials);
}
