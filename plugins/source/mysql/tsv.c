/* plugins/source/mysql/tsv.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every row of a backup passes here: eight bytes at a time, and no look at UTF-8 where there is
 * only ASCII.
 */
#include "tsv.h"

#include "utf8.h"

#include <stdint.h>
#include <string.h>

#define ONES  0x0101010101010101ULL
#define HIGHS 0x8080808080808080ULL

/* A non-zero value when a byte of @x is below 0x10 or a backslash. */
static uint64_t suspicious(uint64_t x)
{
    uint64_t slash = x ^ (ONES * '\\');

    return (((x - ONES * 0x10) & ~x) | ((slash - ONES) & ~slash)) & HIGHS;
}

static char escape_of(unsigned char c)
{
    switch (c) {
    case '\0':
        return '0';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\\':
        return '\\';
    default:
        return '\0';
    }
}

static char *add_byte(char *to, unsigned char c)
{
    char letter = c < 0x10 || c == '\\' ? escape_of(c) : '\0';

    if (letter)
        *to++ = '\\';
    *to++ = letter ? letter : (char)c;
    return to;
}

/* @return where the text ends; *@high: not 0 when there was a byte of 0x80 or above. */
static char *add_text(char *to, const char *from, size_t len, uint64_t *high)
{
    const char *end = from + len;
    uint64_t seen = 0;

    while ((size_t)(end - from) >= sizeof(uint64_t)) {
        uint64_t x;
        memcpy(&x, from, sizeof x);
        seen |= x;
        if (suspicious(x) == 0) {
            memcpy(to, &x, sizeof x);
            to += sizeof x;
        } else {
            for (size_t i = 0; i < sizeof x; i++)
                to = add_byte(to, (unsigned char)from[i]);
        }
        from += sizeof x;
    }
    for (; from < end; from++) {
        seen |= (unsigned char)*from;
        to = add_byte(to, (unsigned char)*from);
    }
    *high = seen & HIGHS;
    return to;
}

static char *add_hex(char *to, const char *from, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        *to++ = digits[(unsigned char)from[i] >> 4];
        *to++ = digits[(unsigned char)from[i] & 15];
    }
    return to;
}

unsigned my_tsv_row(struct plug_bytes *out, const struct my_table *table, MYSQL_ROW row,
                    const unsigned long *lengths)
{
    unsigned wrong = 0;
    size_t most = 0;

    for (size_t i = 0; i < table->n_columns; i++)
        most += 2 * lengths[i] + 3;
    char *to = plug_bytes_reserve(out, most + 1);
    for (size_t i = 0; i < table->n_columns; i++) {
        uint64_t high = 0;
        if (i > 0)
            *to++ = '\t';
        if (row[i] == NULL) {
            *to++ = '\\';
            *to++ = 'N';
        } else if (table->columns[i].form == MY_TEXT) {
            to = add_text(to, row[i], lengths[i], &high);
            wrong += high && !my_utf8_valid(row[i], lengths[i]);
        } else if (table->columns[i].form == MY_HEX) {
            to = add_hex(to, row[i], lengths[i]);
        } else {
            memcpy(to, row[i], lengths[i]);
            to += lengths[i];
        }
    }
    *to++ = '\n';
    *to = '\0';
    out->len = (size_t)(to - out->data);
    return wrong;
}

void my_tsv_piece(struct plug_bytes *out, enum my_form form, const char *from, size_t len)
{
    char *to = plug_bytes_reserve(out, 2 * len + 1);
    uint64_t high;

    if (form == MY_TEXT)
        to = add_text(to, from, len, &high);
    else if (form == MY_HEX)
        to = add_hex(to, from, len);
    else
        to = mempcpy(to, from, len);
    *to = '\0';
    out->len = (size_t)(to - out->data);
}

unsigned my_tsv_look(const struct my_table *table, MYSQL_ROW row, const unsigned long *lengths)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < table->n_columns; i++)
        wrong += row[i] && table->columns[i].form == MY_TEXT && !my_utf8_valid(row[i], lengths[i]);
    return wrong;
}
