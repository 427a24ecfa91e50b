/* src/base/str.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * str: small questions about text: prefixes, numbers, sizes, durations, hexadecimal, likeness.
 *
 * Layer: base. Thread-safety: no state.
 */
#pragma once

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

bool stay_str_starts(const char *text, const char *prefix);
bool stay_str_ends(const char *text, const char *suffix);

/** The whole of @text as a decimal number. @return 0, or -1 when it is not one or too large. */
STAY_CHECKED int stay_str_i64(const char *text, int64_t *out);

/** A size in bytes: digits and an optional unit K, M, G, T (powers of 1024; KiB, MB... too). */
STAY_CHECKED int stay_str_size(const char *text, int64_t *out_bytes);

/** A duration in nanoseconds: parts like 90s, 10m, 26h, 8d, 2w, also joined ("1h30m"). */
STAY_CHECKED int stay_str_duration(const char *text, int64_t *out_ns);

/** @bytes for people: "0 B", "12.3 MiB". @return @out. */
char *stay_str_bytes(char out[static 16], uint64_t bytes);

/** @ns for people: "0.4 s", "2m 05s", "26h 10m", "8d 4h". @return @out. */
char *stay_str_elapsed(char out[static 24], int64_t ns);

/** 2 * @len lower-case digits at @out, no NUL. */
void stay_hex_encode(char *out, const void *data, size_t len);

/** Decodes 2 * @len digits of either case. @return 0, or -1 when one is not a digit. */
STAY_CHECKED int stay_hex_decode(void *out, const char *text, size_t len);

/** Edit distance with transpositions (optimal string alignment). */
size_t stay_str_distance(const char *a, const char *b);

/** The candidate most like @word, or NULL when none is near enough to be a typing error. */
const char *stay_str_nearest(const char *word, const char *const *candidates, size_t n);
