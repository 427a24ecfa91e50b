/* tests/support/dest_log.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * dest_log: what was asked of a destination, in the order in which it was decided.
 *
 * Layer: tests. Uses: base. Thread-safety: any thread may add; the rest when nobody does.
 */
#pragma once

#include "base/base.h"

/** The functions of a destination that tests tell apart. */
enum stay_dest_op {
    STAY_DEST_OP_ANY,
    STAY_DEST_OP_PUT,
    STAY_DEST_OP_PUT_IF_ABSENT,
    STAY_DEST_OP_GET,
    STAY_DEST_OP_LIST,
    STAY_DEST_OP_REMOVE,
    STAY_DEST_OP_SPACE,
    STAY_DEST_OP_CHECK,
    STAY_DEST_OPS
};

/** One call and what came of it. */
struct stay_dest_entry {
    enum stay_dest_op op;
    const char *name; /* of the object, the prefix of a listing, or "" */
    uint64_t offset;  /* of get */
    uint64_t bytes;   /* stored, or asked for */
    int outcome;      /* what it returned */
};

struct stay_dest_log;

struct stay_dest_log *stay_dest_log_new(void);

/** Releases it. NULL is allowed. */
void stay_dest_log_free(struct stay_dest_log *log);
STAY_DEFINE_AUTO(struct stay_dest_log, stay_dest_log_free)

/** Appends @entry; its name is copied. */
void stay_dest_log_add(struct stay_dest_log *log, const struct stay_dest_entry *entry);

/** The entries so far; valid until the next one is added. */
const struct stay_dest_entry *stay_dest_log_entries(const struct stay_dest_log *log, size_t *n);

/** How many of them are of @op (STAY_DEST_OP_ANY: all) and on a name that begins with @prefix. */
size_t stay_dest_log_count(const struct stay_dest_log *log, enum stay_dest_op op,
                           const char *prefix);

/** One line per entry, "put packs/00/x.tar 4096 = 0"; the caller frees it. */
char *stay_dest_log_text(const struct stay_dest_log *log);

/** The function's name in a line. */
const char *stay_dest_op_name(enum stay_dest_op op);
