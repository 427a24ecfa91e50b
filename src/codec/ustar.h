/* src/codec/ustar.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * ustar: the headers of the plain tar archives (POSIX.1-1988 "ustar") that frames and packs are:
 * regular files with short names and nothing else. 512 bytes each, written by the hundred thousand,
 * which is why this is not libarchive's work; archives for people (`export`) are.
 *
 * Layer: codec. Thread-safety: no state.
 */
#pragma once

#include "base/base.h"

enum {
    STAY_USTAR_BLOCK = 512,
    STAY_USTAR_TAIL = 2 * STAY_USTAR_BLOCK, /* the zeros that end an archive */
    STAY_USTAR_NAME_MAX = 99
};

/** Content of @len bytes takes this many in the archive, without its header. */
static inline uint64_t stay_ustar_padded(uint64_t len)
{
    return (len + STAY_USTAR_BLOCK - 1) & ~(uint64_t)(STAY_USTAR_BLOCK - 1);
}

/** Writes the header of a file @name (at most STAY_USTAR_NAME_MAX bytes) of @len bytes. */
void stay_ustar_header(unsigned char out[static STAY_USTAR_BLOCK], const char *name, uint64_t len);

/** One member of an archive in memory. */
struct stay_ustar_member {
    char name[STAY_USTAR_NAME_MAX + 1];
    uint64_t offset; /* of the content, from the archive's beginning */
    uint64_t len;
};

enum { STAY_USTAR_END = 1 };

/**
 * Reads the member whose header stands at @*at and moves @*at behind its content. Everything is
 * checked: checksum, type, every byte that does not vary, padding of zeros, and at the end two zero
 * blocks and nothing behind them.
 *
 * @return 0; STAY_USTAR_END; -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_ustar_next(const void *archive, uint64_t len, uint64_t *at,
                                 struct stay_ustar_member *out, struct stay_err *err);

/**
 * Reads one header alone, where the content is elsewhere.
 * @return 0 with name and len set; STAY_USTAR_END for a zero block; -1.
 */
STAY_CHECKED int stay_ustar_read_header(const unsigned char block[static STAY_USTAR_BLOCK],
                                        struct stay_ustar_member *out, struct stay_err *err);
