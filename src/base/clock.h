/* src/base/clock.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * clock: time as a parameter, and its two textual forms (always UTC).
 *
 * Layer: base. Thread-safety: the system clock may be shared; others as they say.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

#define STAY_NS_PER_S  INT64_C(1000000000)
#define STAY_NS_PER_MS INT64_C(1000000)

/** Where time comes from. Functions whose logic depends on time take one. */
struct stay_clock {
    int64_t (*wall_ns)(const struct stay_clock *clock); /* since 1970-01-01T00:00:00Z */
    int64_t (*mono_ns)(const struct stay_clock *clock); /* never goes back; for durations */
    void *ctx;
};

/** The machine's clocks. */
const struct stay_clock *stay_clock_system(void);

static inline int64_t stay_clock_now(const struct stay_clock *clock)
{
    return clock->wall_ns(clock);
}

static inline int64_t stay_clock_mono(const struct stay_clock *clock)
{
    return clock->mono_ns(clock);
}

/** "2026-11-22T02:30:00.123456789Z", without the fraction where it is zero. @return @out. */
char *stay_time_iso(char out[static 40], int64_t wall_ns);

/** "20261122T023000Z", the form in object names. @return @out. */
char *stay_time_compact(char out[static 24], int64_t wall_ns);

/**
 * Reads either form; also "2026-11-22", "2026-11-22T02:30" and "2026-11-22 02:30:05", as UTC.
 *
 * @return 0, or -1 when @text is none of them.
 */
STAY_CHECKED int stay_time_parse(const char *text, int64_t *out_wall_ns);
