/* tests/support/random.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * random: numbers that are the same for the same seed, for tests of properties.
 *
 * Layer: tests. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct stay_random {
    uint64_t state; /* the seed; any value */
};

/** The next 64 bits (splitmix64). */
static inline uint64_t stay_random_next(struct stay_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/** A number in 0 .. @n - 1; @n is at least 1. */
static inline size_t stay_random_below(struct stay_random *random, size_t n)
{
    return (size_t)(stay_random_next(random) % n);
}

/** Fills @len bytes at @to. */
static inline void stay_random_fill(struct stay_random *random, void *to, size_t len)
{
    unsigned char *bytes = to;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(stay_random_next(random) >> 56);
}
