/* tests/bench/heap.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * heap make FILE PAGES: writes a file like a database's table: pages of 8 KiB, each full of rows.
 * heap change FILE: rewrites 1% of its pages in place, each with new rows.
 * heap undo FILE: writes those pages again as they were.
 *
 * A page depends on its number and generation alone, so that every run sees the same bytes. The
 * mix of words, numbers and random digits is such that zstd -3 leaves about 0.36 of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 8192,
    HEADER_BYTES = 24,
    POINTER_BYTES = 4,
    ROW_MAX_BYTES = 512,
    ROWS_MAX = 128,
    BATCH_PAGES = 128,
    WORDS = 4096,
    WORD_MAX_CHARS = 12,
};

static char words[WORDS][WORD_MAX_CHARS + 1];

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void make_words(void)
{
    static const char onset[] = "bcdfghklmnprstvz";
    static const char vowel[] = "aeiou";
    uint64_t state = 1;

    for (size_t i = 0; i < WORDS; i++) {
        size_t chars = 2 + next(&state) % (WORD_MAX_CHARS - 1);
        for (size_t j = 0; j < chars; j++)
            words[i][j] = j % 2 ? vowel[next(&state) % 5] : onset[next(&state) % 16];
    }
}

/* Few words are frequent and many are rare, as in a language. */
static const char *word(uint64_t *state)
{
    uint64_t r = next(state);

    return words[(r % WORDS) * (r >> 20 & (WORDS - 1)) / WORDS * (r >> 40 & (WORDS - 1)) / WORDS];
}

static unsigned char *put(unsigned char *at, const void *data, size_t n)
{
    memcpy(at, data, n);
    return at + n;
}

/* A text with its length before it, as PostgreSQL stores short ones. */
static unsigned char *put_text(unsigned char *at, const char *text)
{
    size_t n = strlen(text);

    *at = (unsigned char)((n + 1) * 2 + 1);
    return put(at + 1, text, n);
}

static size_t make_row(unsigned char *row, uint64_t id, uint64_t *state)
{
    static const char *const statuses[] = {"paid", "shipped", "returned", "open"};
    uint32_t transaction = (uint32_t)(700000 + id / 40);
    uint32_t customer = (uint32_t)(next(state) % 20000);
    uint64_t time = 700000000000000u + id * 1700000u + next(state) % 65536u;
    char text[128];
    unsigned char *at = put(row, &transaction, sizeof transaction);

    at = put(at, "\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\x02\x09\x18\0\0", 20);
    at = put(at, &id, sizeof id);
    at = put(at, &customer, sizeof customer);
    at = put(at, &time, sizeof time);
    at = put_text(at, statuses[next(state) % 4]);
    const char *first = word(state);
    const char *last = word(state);
    snprintf(text, sizeof text, "%s.%s@%s.example", first, last, words[next(state) % 64]);
    at = put_text(at, text);
    unsigned cents = (unsigned)(next(state) % 40000);
    snprintf(text, sizeof text, "%u.%02u", cents / 100, cents % 100);
    at = put_text(at, text);
    snprintf(text, sizeof text, "%06x", (unsigned)next(state) & 0xffffff);
    at = put_text(at, text);
    size_t n = 0;
    for (uint64_t left = 3 + next(state) % 6; left > 0; left--)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s ", word(state));
    return (size_t)(put_text(at, text) - row);
}

static void make_page(unsigned char *page, uint64_t number, uint64_t generation)
{
    uint64_t state = number * 0x2545f4914f6cdd1du ^ generation * 0xd6e8feb86659fd93u;
    unsigned char row[ROW_MAX_BYTES];
    uint16_t lower = HEADER_BYTES;
    uint16_t upper = PAGE_BYTES;

    memset(page, 0, PAGE_BYTES);
    for (uint64_t i = 0; i < ROWS_MAX; i++) {
        size_t n = make_row(row, number * ROWS_MAX + i, &state);
        if (lower + POINTER_BYTES + n > upper)
            break;
        upper = (uint16_t)(upper - n);
        memcpy(page + upper, row, n);
        uint32_t pointer = upper | 1u << 15 | (uint32_t)n << 17;
        memcpy(page + lower, &pointer, sizeof pointer);
        lower += POINTER_BYTES;
    }
    uint64_t position = number * PAGE_BYTES + generation * 0x100000000u;
    memcpy(page, &position, sizeof position);
    memcpy(page + 12, &lower, sizeof lower);
    memcpy(page + 14, &upper, sizeof upper);
}

static bool is_changed(uint64_t number)
{
    uint64_t state = number ^ 0x5bd1e995u;

    return next(&state) % 100 == 0;
}

static void write_at(int fd, const unsigned char *data, size_t n, uint64_t offset)
{
    while (n > 0) {
        ssize_t wrote = pwrite(fd, data, n, (off_t)offset);
        if (wrote < 0) {
            fprintf(stderr, "heap: cannot write: %s\n", strerror(errno));
            exit(1);
        }
        data += wrote;
        n -= (size_t)wrote;
        offset += (uint64_t)wrote;
    }
}

static void make(int fd, uint64_t pages)
{
    static unsigned char batch[BATCH_PAGES * PAGE_BYTES];

    for (uint64_t first = 0; first < pages; first += BATCH_PAGES) {
        uint64_t n = pages - first < BATCH_PAGES ? pages - first : BATCH_PAGES;
        for (uint64_t i = 0; i < n; i++)
            make_page(batch + i * PAGE_BYTES, first + i, 0);
        write_at(fd, batch, n * PAGE_BYTES, first * PAGE_BYTES);
    }
}

static void rewrite(int fd, uint64_t pages, uint64_t generation)
{
    unsigned char page[PAGE_BYTES];
    uint64_t n = 0;

    for (uint64_t i = 0; i < pages; i++)
        if (is_changed(i)) {
            make_page(page, i, generation);
            write_at(fd, page, PAGE_BYTES, i * PAGE_BYTES);
            n++;
        }
    printf("%llu\n", (unsigned long long)n * PAGE_BYTES);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    bool making = argc == 4 && strcmp(verb, "make") == 0;
    bool changing = argc == 3 && strcmp(verb, "change") == 0;
    struct stat status;

    if (!making && !changing && !(argc == 3 && strcmp(verb, "undo") == 0)) {
        fputs("usage: heap make FILE PAGES | heap change FILE | heap undo FILE\n", stderr);
        return 2;
    }
    int fd = open(argv[2], making ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY, 0644);
    if (fd < 0 || fstat(fd, &status) != 0) {
        fprintf(stderr, "heap: cannot open %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    make_words();
    if (making)
        make(fd, strtoull(argv[3], NULL, 10));
    else
        rewrite(fd, (uint64_t)status.st_size / PAGE_BYTES, changing ? 1 : 0);
    if (close(fd) != 0) {
        fprintf(stderr, "heap: cannot write %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    return 0;
}
