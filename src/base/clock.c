/* src/base/clock.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/clock.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * STAY_NS_PER_S + now.tv_nsec;
}

static int64_t system_wall(const struct stay_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(const struct stay_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

const struct stay_clock *stay_clock_system(void)
{
    static const struct stay_clock system = {system_wall, system_mono, NULL};

    return &system;
}

static int64_t split(int64_t wall_ns, struct tm *tm)
{
    int64_t fraction = wall_ns % STAY_NS_PER_S;

    if (fraction < 0)
        fraction += STAY_NS_PER_S;
    time_t s = (time_t)((wall_ns - fraction) / STAY_NS_PER_S);
    (void)gmtime_r(&s, tm);
    return fraction;
}

char *stay_time_iso(char out[static 40], int64_t wall_ns)
{
    struct tm tm;
    int64_t fraction = split(wall_ns, &tm);
    size_t len = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);

    if (fraction)
        len += (size_t)snprintf(out + len, 40 - len, ".%09d", (int)fraction);
    (void)snprintf(out + len, 40 - len, "Z");
    return out;
}

char *stay_time_compact(char out[static 24], int64_t wall_ns)
{
    struct tm tm;

    (void)split(wall_ns, &tm);
    (void)strftime(out, 24, "%Y%m%dT%H%M%SZ", &tm);
    return out;
}

/* A fraction ".123" at *text in nanoseconds, moved past; further digits are dropped. */
static int parse_fraction(const char **text, int64_t *ns)
{
    int64_t scale = STAY_NS_PER_S / 10;

    *ns = 0;
    if (**text != '.')
        return 0;
    (*text)++;
    if (!isdigit((unsigned char)**text))
        return -1;
    for (; isdigit((unsigned char)**text); (*text)++) {
        *ns += (**text - '0') * scale;
        scale /= 10;
    }
    return 0;
}

static int is_sound(const struct tm *tm)
{
    struct tm copy = *tm;
    time_t s = timegm(&copy);

    (void)s;
    return copy.tm_mday == tm->tm_mday && copy.tm_mon == tm->tm_mon && tm->tm_hour < 24 &&
           tm->tm_min < 60 && tm->tm_sec < 60;
}

int stay_time_parse(const char *text, int64_t *out_wall_ns)
{
    static const char *const forms[] = {"%Y%m%dT%H%M%S",     "%Y-%m-%dT%H:%M:%S",
                                        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M",    "%Y-%m-%d"};

    for (size_t i = 0; i < STAY_COUNT(forms); i++) {
        struct tm tm = {0};
        int64_t fraction = 0;
        const char *rest = strptime(text, forms[i], &tm);
        if (rest == NULL || parse_fraction(&rest, &fraction) < 0)
            continue;
        if (strcmp(rest, "Z") != 0 && *rest)
            continue;
        if (tm.tm_year > 292 + 70 - 1 || tm.tm_year < -200 || !is_sound(&tm))
            return -1;
        *out_wall_ns = (int64_t)timegm(&tm) * STAY_NS_PER_S + fraction;
        return 0;
    }
    return -1;
}
