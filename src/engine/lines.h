/* src/engine/lines.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * lines: the facts and notes of a snapshot, read back: two texts on each line.
 *
 * Layer: engine. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "engine/tree.h"

struct stay_line {
    char *key; /* a fact's name, a note's path; NULL: the line has none */
    char *value;
};

/** Zero-initialise; release with stay_lines_free(). */
struct stay_lines {
    struct stay_line *items; /* in the order of the stream */
    size_t n;
    size_t cap;
    struct stay_err damage; /* kind NONE: every line is here; else why some are not */
};

/**
 * Reads the stream @which of @snapshot, STAY_FACTS or STAY_NOTES.
 *
 * @scratch a folder for a temporary file, used when the stream is large.
 * @return 0, also when lines are damaged; -1 when it cannot be read at all.
 */
STAY_CHECKED int stay_lines_load(struct stay_lines *out, struct stay_dest *dest,
                                 const struct stay_snapshot *snapshot,
                                 enum stay_snapshot_streams which, const char *scratch,
                                 struct stay_err *err);

/** The same from text: appends what @len bytes of @text have, and says in @out->damage what is not.
 */
void stay_lines_parse(struct stay_lines *out, const char *text, size_t len,
                      enum stay_snapshot_streams which);
void stay_lines_free(struct stay_lines *lines);

static inline void stay_lines_free_auto(struct stay_lines *lines)
{
    stay_lines_free(lines);
}

#define stay_auto_lines __attribute__((cleanup(stay_lines_free_auto), unused))
