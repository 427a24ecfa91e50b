/* src/codec/digest.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * digest: SHA-256 (FIPS 180-4) through OpenSSL, and the 32-byte identifiers made with it.
 *
 * Layer: codec. Thread-safety: one struct stay_digest belongs to one thread; ids are plain data.
 */
#pragma once

#include "base/base.h"

#include <string.h>

enum { STAY_ID_BYTES = 32, STAY_ID_HEX = 64 };

/** The SHA-256 of some content: names a chunk, a pack, an index object. */
struct stay_id {
    unsigned char bytes[STAY_ID_BYTES];
};

struct stay_digest;

/** A reusable hashing state: creating one is slow, using it again is not. */
struct stay_digest *stay_digest_new(void);
void stay_digest_free(struct stay_digest *digest);
STAY_DEFINE_AUTO(struct stay_digest, stay_digest_free)

/** The SHA-256 of @len bytes at @data. */
void stay_digest_of(struct stay_digest *digest, const void *data, size_t len, struct stay_id *out);

/** In pieces: begin, add any number of times, end. */
void stay_digest_begin(struct stay_digest *digest);
void stay_digest_add(struct stay_digest *digest, const void *data, size_t len);
void stay_digest_end(struct stay_digest *digest, struct stay_id *out);

/** HMAC-SHA-256 (RFC 2104). */
void stay_digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                      struct stay_id *out);

/** @len bytes from the system's random generator. */
void stay_random(void *out, size_t len);

static inline bool stay_id_equal(const struct stay_id *a, const struct stay_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/** Lower-case hexadecimal with a NUL. @return @out. */
char *stay_id_hex(char out[static STAY_ID_HEX + 1], const struct stay_id *id);

/** Reads exactly 64 hexadecimal digits (what follows them is not looked at). @return 0 or -1. */
STAY_CHECKED int stay_id_parse(struct stay_id *out, const char *text);
