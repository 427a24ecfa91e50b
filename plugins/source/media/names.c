/* plugins/source/media/names.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "names.h"

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t key_of(const char *name, size_t len)
{
    unsigned char first[8] = {0};
    uint64_t key = 0;

    memcpy(first, name, PLUG_MIN(len, sizeof first));
    for (size_t i = 0; i < sizeof first; i++)
        key = key << 8 | first[i];
    return key;
}

static int compare(const void *a, const void *b, void *bytes)
{
    const struct media_name *x = a;
    const struct media_name *y = b;
    const char *text = bytes;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return strcmp(text + x->at + 1, text + y->at + 1);
}

static void add(struct media_names *names, const char *name, unsigned char type)
{
    size_t len = strlen(name);

    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
        return;
    names->cache_tag |= strcmp(name, MEDIA_CACHE_TAG) == 0;
    names->items = plug_grow(names->items, &names->cap, names->n + 1, sizeof *names->items);
    names->items[names->n++] =
        (struct media_name){.key = key_of(name, len), .at = (uint32_t)names->bytes.len};
    plug_bytes_add(&names->bytes, &(char){(char)type}, 1);
    plug_bytes_add(&names->bytes, name, len + 1);
}

int media_names_read(struct media_names *names, int fd, void *buffer)
{
    ssize_t got = 1;
    int error = 0;

    while (got > 0 && names->n < MEDIA_NAMES_MAX) {
        got = getdents64(fd, buffer, MEDIA_NAMES_BUFFER);
        error = errno;
        for (char *at = buffer; at < (char *)buffer + got;) {
            const struct dirent64 *entry = (const void *)at;
            add(names, entry->d_name, entry->d_type);
            at += entry->d_reclen;
        }
    }
    names->complete = got <= 0;
    if (names->n > 0)
        qsort_r(names->items, names->n, sizeof *names->items, compare, names->bytes.data);
    errno = error;
    return got < 0 ? -1 : 0;
}

void media_names_only(struct media_names *names, const char *name)
{
    names->bytes.len = 0;
    names->n = 0;
    add(names, name, DT_UNKNOWN);
    names->complete = true;
}

void media_names_free(struct media_names *names)
{
    plug_bytes_free(&names->bytes);
    free(names->items);
    *names = (struct media_names){0};
}

bool media_names_is_cache(int fd)
{
    static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
    char start[sizeof signature - 1];
    int tag =
        media_open_quietly(fd, MEDIA_CACHE_TAG, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (tag < 0)
        return false;
    ssize_t got = read(tag, start, sizeof start);
    close(tag);
    return got == (ssize_t)sizeof start && memcmp(start, signature, sizeof start) == 0;
}
