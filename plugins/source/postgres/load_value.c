/* plugins/source/postgres/load_value.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Values of the types of load_binary.h: from the text that the plugin's sessions make a server
 * write (ISO dates, time zone UTC, shortest exact floats) to the binary form that its receive
 * functions take. Whatever does not look exactly like that is refused.
 */
#include "load_binary.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- out */

/* Room for @len bytes, which are then part of @out: called for every cell of every row, so mostly
 * without a call into another file. */
static inline char *room(struct plug_bytes *out, size_t len)
{
    char *to = out->cap > out->len + len ? out->data + out->len : plug_bytes_reserve(out, len);

    out->len += len;
    return to;
}

static inline int put(struct plug_bytes *out, const void *value, size_t len)
{
    uint32_t size = htonl((uint32_t)len);
    char *to = room(out, sizeof size + len);

    memcpy(to, &size, sizeof size);
    memcpy(to + sizeof size, value, len);
    return 0;
}

static int put_2(struct plug_bytes *out, int64_t value)
{
    uint16_t bytes = htobe16((uint16_t)value);

    return put(out, &bytes, sizeof bytes);
}

static int put_4(struct plug_bytes *out, int64_t value)
{
    uint32_t bytes = htobe32((uint32_t)value);

    return put(out, &bytes, sizeof bytes);
}

static int put_8(struct plug_bytes *out, int64_t value)
{
    uint64_t bytes = htobe64((uint64_t)value);

    return put(out, &bytes, sizeof bytes);
}

/* ---- numbers */

/* @return 0, or 1: it is no number from @least to @most. */
static inline int read_int(const char *text, size_t len, int64_t least, int64_t most, int64_t *out)
{
    enum { SURE = 18 }; /* as many digits fit into any 64 bits */
    bool minus = len > 0 && text[0] == '-';
    const char *end = text + len;
    int64_t value = 0;

    text += minus;
    if (text == end)
        return 1;
    if (end - text > SURE) {
        char *stop;
        char copy[SURE + 4] = "";
        if (len >= sizeof copy)
            return 1;
        memcpy(copy, end - len, len);
        errno = 0;
        value = strtoll(copy, &stop, 10);
        if (errno != 0 || *stop || text[0] < '0' || text[0] > '9')
            return 1;
    } else {
        for (; text < end; text++) {
            if (*text < '0' || *text > '9')
                return 1;
            value = value * 10 + (*text - '0');
        }
        value = minus ? -value : value;
    }
    *out = value;
    return value < least || value > most;
}

static locale_t plain_locale;

static void make_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static int put_float(struct plug_bytes *out, bool is_double, const char *text, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char copy[64];
    char *end;
    uint32_t bits;
    uint64_t wide_bits;

    (void)pthread_once(&once, make_locale);
    if (len == 0 || len >= sizeof copy || plain_locale == (locale_t)0)
        return 1;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (is_double) {
        double value = strtod_l(copy, &end, plain_locale);
        memcpy(&wide_bits, &value, sizeof wide_bits);
        return end != copy + len || put_8(out, (int64_t)wide_bits);
    }
    float value = strtof_l(copy, &end, plain_locale);
    memcpy(&bits, &value, sizeof bits);
    return end != copy + len || put_4(out, bits);
}

enum { NUMERIC_DIGITS = 1000, NUMERIC_NAN = 0xC000, NUMERIC_PLUS = 0xD000, NUMERIC_MINUS = 0xF000 };

static int put_groups(struct plug_bytes *out, const uint16_t header[4], const uint16_t *groups,
                      size_t n)
{
    uint16_t bytes[4 + NUMERIC_DIGITS / 4 + 2];

    for (size_t i = 0; i < 4; i++)
        bytes[i] = htobe16(header[i]);
    for (size_t i = 0; i < n; i++)
        bytes[4 + i] = htobe16(groups[i]);
    return put(out, bytes, (4 + n) * sizeof *bytes);
}

static int put_special(struct plug_bytes *out, const char *text, size_t len)
{
    static const struct {
        const char *text;
        uint16_t sign;
    } rows[] = {{"NaN", NUMERIC_NAN}, {"Infinity", NUMERIC_PLUS}, {"-Infinity", NUMERIC_MINUS}};

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (strlen(rows[i].text) == len && memcmp(rows[i].text, text, len) == 0)
            return put_groups(out, (const uint16_t[4]){0, 0, rows[i].sign, 0}, NULL, 0);
    return 1;
}

/* Four decimal digits make a group; groups are aligned at the decimal point. */
static int put_numeric(struct plug_bytes *out, const char *text, size_t len)
{
    const char *at = text + (len > 0 && text[0] == '-');
    const char *end = text + len;
    const char *point = memchr(at, '.', (size_t)(end - at));
    size_t whole = (size_t)((point ? point : end) - at);
    size_t scale = point ? (size_t)(end - point) - 1 : 0;
    size_t lead = (4 - whole % 4) % 4;
    uint16_t groups[NUMERIC_DIGITS / 4 + 2] = {0};
    size_t position = lead;

    if (whole + scale > NUMERIC_DIGITS - 8 || whole == 0)
        return put_special(out, text, len);
    for (const char *c = at; c < end; c++) {
        static const uint16_t powers[] = {1000, 100, 10, 1};
        if (c == point)
            continue;
        if (*c < '0' || *c > '9')
            return put_special(out, text, len);
        groups[position / 4] = (uint16_t)(groups[position / 4] + (*c - '0') * powers[position % 4]);
        position++;
    }
    size_t n = (position + 3) / 4;
    size_t first = 0;
    while (first < n && groups[first] == 0)
        first++;
    while (n > first && groups[n - 1] == 0)
        n--;
    int weight = n == first ? 0 : (int)((lead + whole) / 4) - 1 - (int)first;
    const uint16_t header[4] = {(uint16_t)(n - first), (uint16_t)weight,
                                at > text && n > first ? 0x4000 : 0, (uint16_t)scale};
    return put_groups(out, header, groups + first, n - first);
}

/* ---- dates */

/* Exactly @n digits. @return their value, or -1. */
static int digits(const char *text, const char *end, int n)
{
    int value = 0;

    if (end - text < n)
        return -1;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* Days from 2000-01-01 on to a day of the Gregorian calendar: years begin in March here, so that
 * the day that leap years have more is their last. */
static int64_t days_since_2000(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = y / 400;
    int64_t of_era = y % 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 730425;
}

/* "2026-11-22" of the years 1 to 9999. @return what follows, or NULL. */
static const char *read_day(const char *text, const char *end, int64_t *days)
{
    int year = digits(text, end, 4);

    if (year < 1 || end - text < 10 || text[4] != '-' || text[7] != '-')
        return NULL;
    int month = digits(text + 5, end, 2);
    int day = digits(text + 8, end, 2);
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return NULL;
    *days = days_since_2000(year, month, day);
    return text + 10;
}

/* "12:34:56.789". @return what follows, or NULL. */
static const char *read_time(const char *text, const char *end, int64_t *us)
{
    int hours = digits(text, end, 2);

    if (hours < 0 || hours > 23 || end - text < 8 || text[2] != ':' || text[5] != ':')
        return NULL;
    int minutes = digits(text + 3, end, 2);
    int seconds = digits(text + 6, end, 2);
    if (minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59)
        return NULL;
    *us = ((int64_t)hours * 3600 + minutes * 60 + seconds) * 1000000;
    text += 8;
    if (text == end || *text != '.')
        return text;
    int64_t unit = 100000;
    for (text++; text < end && *text >= '0' && *text <= '9' && unit > 0; text++, unit /= 10)
        *us += (*text - '0') * unit;
    return text;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static int put_date(struct plug_bytes *out, const char *text, size_t len)
{
    int64_t days;

    if (is_word(text, len, "infinity"))
        return put_4(out, INT32_MAX);
    if (is_word(text, len, "-infinity"))
        return put_4(out, INT32_MIN);
    if (read_day(text, text + len, &days) != text + len)
        return 1;
    return put_4(out, days);
}

static int put_timestamp(struct plug_bytes *out, const char *text, size_t len, bool zone)
{
    const char *end = text + len;
    int64_t days;
    int64_t us;

    if (is_word(text, len, "infinity"))
        return put_8(out, INT64_MAX);
    if (is_word(text, len, "-infinity"))
        return put_8(out, INT64_MIN);
    const char *at = read_day(text, end, &days);
    if (at == NULL || at == end || *at != ' ')
        return 1;
    at = read_time(at + 1, end, &us);
    if (at == NULL || !is_word(at, (size_t)(end - at), zone ? "+00" : ""))
        return 1;
    return put_8(out, days * INT64_C(86400000000) + us);
}

/* ---- bytes */

/* One more than the value of each hexadecimal digit; 0 for everything else. */
static const unsigned char nibbles[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* The bytes that hexadecimal digits stand for. @return what is after them, or NULL. */
static unsigned char *put_hex(unsigned char *to, const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        unsigned high = nibbles[(unsigned char)text[i]];
        unsigned low = nibbles[(unsigned char)text[i + 1]];
        if (high == 0 || low == 0)
            return NULL;
        *to++ = (unsigned char)((high - 1) << 4 | (low - 1));
    }
    return len % 2 ? NULL : to;
}

static int put_bytes(struct plug_bytes *out, const char *text, size_t len)
{
    if (len < 2 || text[0] != '\\' || text[1] != 'x')
        return 1;
    uint32_t size = htonl((uint32_t)((len - 2) / 2));
    char *to = room(out, sizeof size + (len - 2) / 2);
    memcpy(to, &size, sizeof size);
    return put_hex((unsigned char *)to + sizeof size, text + 2, len - 2) == NULL;
}

/* "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" */
static int put_uuid(struct plug_bytes *out, const char *text, size_t len)
{
    static const size_t parts[] = {8, 4, 4, 4, 12};
    unsigned char bytes[16];
    unsigned char *to = bytes;

    if (len != 36)
        return 1;
    for (size_t i = 0; i < PLUG_COUNT(parts); i++) {
        if (i > 0 && *text++ != '-')
            return 1;
        to = put_hex(to, text, parts[i]);
        if (to == NULL)
            return 1;
        text += parts[i];
    }
    return put(out, bytes, sizeof bytes);
}

static int put_jsonb(struct plug_bytes *out, const char *text, size_t len)
{
    uint32_t size = htonl((uint32_t)len + 1);
    char *to = room(out, sizeof size + 1 + len);

    memcpy(to, &size, sizeof size);
    to[sizeof size] = 1; /* the version of the form */
    memcpy(to + sizeof size + 1, text, len);
    return 0;
}

int pg_binary_value(struct plug_bytes *out, enum pg_form form, const char *text, size_t len)
{
    int64_t number;

    switch (form) {
    case PG_FORM_BOOL:
        return len != 1 || (text[0] != 't' && text[0] != 'f') ||
               put(out, text[0] == 't' ? "\1" : "\0", 1);
    case PG_FORM_INT2:
        return read_int(text, len, INT16_MIN, INT16_MAX, &number) || put_2(out, number);
    case PG_FORM_INT4:
        return read_int(text, len, INT32_MIN, INT32_MAX, &number) || put_4(out, number);
    case PG_FORM_INT8:
        return read_int(text, len, INT64_MIN, INT64_MAX, &number) || put_8(out, number);
    case PG_FORM_OID:
        return read_int(text, len, 0, UINT32_MAX, &number) || put_4(out, number);
    case PG_FORM_FLOAT4:
    case PG_FORM_FLOAT8:
        return put_float(out, form == PG_FORM_FLOAT8, text, len);
    case PG_FORM_NUMERIC:
        return put_numeric(out, text, len);
    case PG_FORM_TEXT:
        return put(out, text, len);
    case PG_FORM_JSONB:
        return put_jsonb(out, text, len);
    case PG_FORM_BYTES:
        return put_bytes(out, text, len);
    case PG_FORM_UUID:
        return put_uuid(out, text, len);
    case PG_FORM_DATE:
        return put_date(out, text, len);
    case PG_FORM_TIMESTAMP:
    case PG_FORM_TIMESTAMPTZ:
        return put_timestamp(out, text, len, form == PG_FORM_TIMESTAMPTZ);
    default:
        return 1;
    }
}
