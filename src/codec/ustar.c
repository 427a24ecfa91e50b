/* src/codec/ustar.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A header is read by writing the one that this name and size must have and comparing: the format
 * has one way to say a thing, so a flipped bit anywhere is noticed.
 */
#include "codec/ustar.h"

#include <string.h>

enum {
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    SIZE_DIGITS = 11
};

static const unsigned char zeros[STAY_USTAR_TAIL];

static void put_octal(unsigned char *to, unsigned digits, uint64_t value)
{
    while (digits--) {
        to[digits] = (unsigned char)('0' + (value & 7));
        value >>= 3;
    }
}

void stay_ustar_header(unsigned char out[static STAY_USTAR_BLOCK], const char *name, uint64_t len)
{
    unsigned sum = 0;

    memset(out, 0, STAY_USTAR_BLOCK);
    memcpy(out, name, STAY_MIN(strlen(name), (size_t)STAY_USTAR_NAME_MAX));
    memcpy(out + AT_MODE, "0000644", 8);
    memcpy(out + AT_UID, "0000000", 8);
    memcpy(out + AT_GID, "0000000", 8);
    put_octal(out + AT_SIZE, SIZE_DIGITS, len);
    put_octal(out + AT_MTIME, SIZE_DIGITS, 0);
    memset(out + AT_SUM, ' ', 8);
    out[AT_TYPE] = '0';
    memcpy(out + AT_MAGIC,
           "ustar\0"
           "00",
           8);
    for (unsigned i = 0; i < STAY_USTAR_BLOCK; i++)
        sum += out[i];
    put_octal(out + AT_SUM, 6, sum);
    out[AT_SUM + 6] = '\0';
}

int stay_ustar_read_header(const unsigned char block[static STAY_USTAR_BLOCK],
                           struct stay_ustar_member *out, struct stay_err *err)
{
    unsigned char expected[STAY_USTAR_BLOCK];

    if (memcmp(block, zeros, STAY_USTAR_BLOCK) == 0)
        return STAY_USTAR_END;
    out->len = 0;
    for (unsigned i = 0; i < SIZE_DIGITS; i++) {
        unsigned char c = block[AT_SIZE + i];
        if (c < '0' || c > '7')
            return stay_fail(err, STAY_ERR_CORRUPT, "a tar header has no valid size");
        out->len = out->len << 3 | (uint64_t)(c - '0');
    }
    memcpy(out->name, block, STAY_USTAR_NAME_MAX);
    out->name[STAY_USTAR_NAME_MAX] = '\0';
    stay_ustar_header(expected, out->name, out->len);
    if (memcmp(block, expected, STAY_USTAR_BLOCK) != 0)
        return stay_fail(err, STAY_ERR_CORRUPT, "a tar header is not as it was written");
    return 0;
}

int stay_ustar_next(const void *archive, uint64_t len, uint64_t *at, struct stay_ustar_member *out,
                    struct stay_err *err)
{
    const unsigned char *bytes = archive;

    if (*at > len || len - *at < STAY_USTAR_BLOCK)
        return stay_fail(err, STAY_ERR_CORRUPT, "a tar archive ends too early");
    int rc = stay_ustar_read_header(bytes + *at, out, err);
    if (rc < 0)
        return -1;
    if (rc == STAY_USTAR_END) {
        if (len - *at != sizeof zeros || memcmp(bytes + *at, zeros, sizeof zeros) != 0)
            return stay_fail(err, STAY_ERR_CORRUPT, "a tar archive does not end as it must");
        return STAY_USTAR_END;
    }
    out->offset = *at + STAY_USTAR_BLOCK;
    if (out->len > len - out->offset || stay_ustar_padded(out->len) > len - out->offset)
        return stay_fail(err, STAY_ERR_CORRUPT, "a tar member is longer than its archive");
    *at = out->offset + stay_ustar_padded(out->len);
    if (memcmp(bytes + out->offset + out->len, zeros, *at - out->offset - out->len) != 0)
        return stay_fail(err, STAY_ERR_CORRUPT, "a tar member is not padded with zeros");
    return 0;
}
