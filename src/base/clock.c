/* src/base/clock.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/clock.h"

#include "base/alloc.h"
#include "base/str.h"

#include <ctype.h>
#include <stdbool.h>
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

/* What a letter of a shape stands for; NULL: for itself. */
static int *field_of(struct tm *tm, char letter)
{
    switch (letter) {
    case 'Y':
        return &tm->tm_year;
    case 'M':
        return &tm->tm_mon;
    case 'D':
        return &tm->tm_mday;
    case 'h':
        return &tm->tm_hour;
    case 'm':
        return &tm->tm_min;
    case 's':
        return &tm->tm_sec;
    default:
        return NULL;
    }
}

/*
 * Reads @text into @tm as @shape says, one digit for each letter of a field. strptime(3) would also
 * take blanks, signs and missing digits.
 *
 * @return what follows, or NULL.
 */
static const char *read_shape(const char *text, const char *shape, struct tm *tm)
{
    for (; *shape; shape++, text++) {
        int *field = field_of(tm, *shape);
        if (field ? !isdigit((unsigned char)*text) : *text != *shape)
            return NULL;
        if (field)
            *field = 10 * *field + (*text - '0');
    }
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return text;
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

/* Whether the day exists, and lies in what int64_t nanoseconds can hold. */
static bool is_sound(const struct tm *tm)
{
    struct tm copy = *tm;

    (void)timegm(&copy);
    return copy.tm_mday == tm->tm_mday && copy.tm_mon == tm->tm_mon && tm->tm_hour < 24 &&
           tm->tm_min < 60 && tm->tm_sec < 60 && tm->tm_year < 2262 - 1900 &&
           tm->tm_year >= 1700 - 1900;
}

int stay_time_parse(const char *text, int64_t *out_wall_ns)
{
    static const char *const shapes[] = {"YYYYMMDDThhmmss",     "YYYY-MM-DDThh:mm:ss",
                                         "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm",
                                         "YYYY-MM-DD hh:mm",    "YYYY-MM-DD"};

    for (size_t i = 0; i < STAY_COUNT(shapes); i++) {
        struct tm tm = {0};
        int64_t fraction = 0;
        const char *rest = read_shape(text, shapes[i], &tm);
        if (rest == NULL ||
            (stay_str_ends(shapes[i], "ss") && parse_fraction(&rest, &fraction) < 0))
            continue;
        if (strcmp(rest, "Z") != 0 && *rest)
            continue;
        if (!is_sound(&tm))
            return -1;
        *out_wall_ns = (int64_t)timegm(&tm) * STAY_NS_PER_S + fraction;
        return 0;
    }
    return -1;
}
