/* plugins/source/media/names.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * names: what a folder lists, read with few system calls and sorted by bytes, so that neighbours
 * in the tree stay neighbours in what is stored.
 *
 * A very large folder comes in several parts, so that memory stays bounded.
 *
 * Thread-safety: one list belongs to one thread until it is complete; then it does not change.
 */
#pragma once

#include "mem.h"

#include <stdbool.h>
#include <stdint.h>

#define MEDIA_CACHE_TAG "CACHEDIR.TAG"

enum { MEDIA_NAMES_MAX = 65536, MEDIA_NAMES_BUFFER = 65536 };

/** One name: @at is where, in the bytes of its list, a type (DT_*) and the name stand. */
struct media_name {
    uint64_t key; /* the first eight bytes, so that most comparisons need nothing else */
    uint32_t at;
};

struct media_names {
    struct plug_bytes bytes;
    struct media_name *items;
    size_t n;
    size_t cap;
    bool complete;  /* the folder has no more */
    bool cache_tag; /* one of the names is CACHEDIR.TAG */
};

/**
 * Reads names from where @fd stands, until its end or about MEDIA_NAMES_MAX of them, and sorts
 * them.
 *
 * @buffer has MEDIA_NAMES_BUFFER bytes.
 * @return 0, or -1 with errno set; @names then has those that were read before.
 */
int media_names_read(struct media_names *names, int fd, void *buffer);

/** Makes it the complete list of one name. */
void media_names_only(struct media_names *names, const char *name);

void media_names_free(struct media_names *names);

static inline unsigned char media_name_type(const struct media_names *names, size_t i)
{
    return (unsigned char)names->bytes.data[names->items[i].at];
}

static inline const char *media_name_text(const struct media_names *names, size_t i)
{
    return names->bytes.data + names->items[i].at + 1;
}

/** Whether the folder @fd holds a CACHEDIR.TAG with the signature of the specification. */
bool media_names_is_cache(int fd);
