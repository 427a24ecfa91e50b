/* src/base/str.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

bool stay_str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool stay_str_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t tail = strlen(suffix);

    return len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

int stay_str_i64(const char *text, int64_t *out)
{
    char *end = NULL;

    if (!isdigit((unsigned char)text[0]) && text[0] != '-')
        return -1;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return -1;
    *out = value;
    return 0;
}

/* Digits at the start of *text, moved past; -1 when there are none or too many. */
static int leading_number(const char **text, int64_t *out)
{
    char *end = NULL;

    if (!isdigit((unsigned char)**text))
        return -1;
    errno = 0;
    *out = strtoll(*text, &end, 10);
    *text = end;
    return errno ? -1 : 0;
}

int stay_str_size(const char *text, int64_t *out_bytes)
{
    static const char units[] = "KMGT";
    int64_t value;

    if (leading_number(&text, &value) < 0)
        return -1;
    while (*text == ' ')
        text++;
    if (*text && *text != 'B') {
        const char *unit = strchr(units, toupper((unsigned char)*text));
        if (unit == NULL)
            return -1;
        if (__builtin_mul_overflow(value, INT64_C(1) << (10 * (unit - units + 1)), &value))
            return -1;
        text++;
        if (*text == 'i')
            text++;
    }
    if (*text == 'B')
        text++;
    if (*text)
        return -1;
    *out_bytes = value;
    return 0;
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * INT64_C(86400);
    default:
        return 0;
    }
}

int stay_str_duration(const char *text, int64_t *out_ns)
{
    int64_t total = 0;

    if (*text == '\0')
        return -1;
    while (*text) {
        int64_t value;
        if (leading_number(&text, &value) < 0)
            return -1;
        int64_t unit = unit_seconds(*text);
        if (unit == 0 || __builtin_mul_overflow(value, unit * NS_PER_S, &value) ||
            __builtin_add_overflow(total, value, &total))
            return -1;
        text++;
    }
    *out_ns = total;
    return 0;
}

char *stay_str_bytes(char out[static 16], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1023.95 && unit + 1 < STAY_COUNT(units)) {
        value /= 1024;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(out, 16, "%" PRIu64 " B", bytes);
    else
        (void)snprintf(out, 16, "%.1f %s", value, units[unit]);
    return out;
}

char *stay_str_elapsed(char out[static 24], int64_t ns)
{
    int64_t s = ns / NS_PER_S;

    if (s < 60)
        (void)snprintf(out, 24, "%.1f s", (double)(ns / (NS_PER_S / 10)) / 10);
    else if (s < 3600)
        (void)snprintf(out, 24, "%" PRId64 "m %02" PRId64 "s", s / 60, s % 60);
    else if (s < INT64_C(48) * 3600)
        (void)snprintf(out, 24, "%" PRId64 "h %02" PRId64 "m", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, 24, "%" PRId64 "d %" PRId64 "h", s / 86400, s / 3600 % 24);
    return out;
}

void stay_hex_encode(char *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
}

/* The value of each digit plus one; 0: not a digit. Random digits defeat branch prediction. */
static const unsigned char nibbles[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int stay_hex_decode(void *out, const char *text, size_t len)
{
    unsigned char *bytes = out;
    bool bad = false;

    for (size_t i = 0; i < len && !bad; i++) {
        unsigned high = nibbles[(unsigned char)text[2 * i]];
        /* What ends at a NUL is not read past it. */
        unsigned low = high ? nibbles[(unsigned char)text[2 * i + 1]] : 0;
        bad = low == 0;
        bytes[i] = (unsigned char)((high - 1) << 4 | (low - 1));
    }
    return bad ? -1 : 0;
}

enum { LONGEST_WORD = 64 };

size_t stay_str_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST_WORD + 1];
    size_t la = strlen(a);
    size_t lb = strlen(b);

    if (la > LONGEST_WORD || lb > LONGEST_WORD)
        return SIZE_MAX;
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];
    for (size_t j = 0; j <= lb; j++)
        last[j] = j;
    for (size_t i = 1; i <= la; i++) {
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = STAY_MIN(best, last[j] + 1);
            best = STAY_MIN(best, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = STAY_MIN(best, before[j - 2] + 1);
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[lb];
}

const char *stay_str_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *nearest = NULL;
    size_t limit = strlen(word) / 3 + 1;

    for (size_t i = 0; i < n; i++) {
        size_t distance = stay_str_distance(word, candidates[i]);
        if (distance <= limit && distance < strlen(candidates[i])) {
            nearest = candidates[i];
            limit = distance ? distance - 1 : 0;
            if (distance == 0)
                break;
        }
    }
    return nearest;
}
