/* tests/fuzz/fuzz.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fuzz: the function that each fuzz_*.c defines. libFuzzer calls it with what it makes up (preset
 * fuzz), replay.c with the committed corpus.
 *
 * Layer: tests. Thread-safety: one thread.
 */
#pragma once

#include "base/base.h"

#include <stdint.h>

/** Does with @data what the program would, and aborts where something does not hold. @return 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What must hold, in every kind of build. */
#define FUZZ_HOLDS(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A failure is of kind CORRUPT, or of another that is allowed here, and says why. */
#define FUZZ_FAILS_WELL(err, other)                                                                \
    FUZZ_HOLDS(((err).kind == STAY_ERR_CORRUPT || (err).kind == (other)) && (err).text[0] != '\0')
