/* plugins/shared/rowsum.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * rowsum: the number of rows of a table and a digest that does not depend on their order: the sum,
 * modulo 2^128, of the XXH3 128-bit hashes of the rows' bytes (https://xxhash.com). It notices rows
 * that are missing, doubled or different; it is no defence against somebody who can choose rows:
 * for that, the stored bytes have SHA-256.
 *
 * Thread-safety: one object belongs to one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Zero-initialise. */
struct plug_rowsum {
    uint64_t rows;
    uint64_t low;
    uint64_t high;
};

enum { PLUG_ROWSUM_HEX = 33 }; /* 32 digits and a NUL */

void plug_rowsum_add(struct plug_rowsum *sum, const void *row, size_t len);

/** The same for a row that comes in pieces: begun, added to, and counted by plug_rowsum_end(),
 * which releases it (@sum NULL: without counting it). */
struct plug_rowsum_row;
struct plug_rowsum_row *plug_rowsum_begin(void) __attribute__((returns_nonnull));
void plug_rowsum_piece(struct plug_rowsum_row *row, const void *piece, size_t len);
void plug_rowsum_end(struct plug_rowsum_row *row, struct plug_rowsum *sum);

/** Adds what another object has counted. */
void plug_rowsum_merge(struct plug_rowsum *sum, const struct plug_rowsum *other);

/** The digest as 32 hexadecimal digits. @return @out. */
const char *plug_rowsum_hex(const struct plug_rowsum *sum, char out[PLUG_ROWSUM_HEX]);
