/* tests/support/fake_sink.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fake_sink: where a source under test puts its entries. It keeps everything in memory, counts the
 * calls, holds the source to the contract of include/backstay/plugin.h, and can interfere: answer
 * "unchanged" from an earlier snapshot, fail at the n-th call, run a test's code within a call.
 *
 * Layer: tests. Uses: base. Thread-safety: the functions of the ABI from any thread; the rest when
 * no call runs.
 */
#pragma once

#include "base/base.h"

#include <backstay/plugin.h>

#include <pthread.h>

/** One recorded entry with copies of all that it points to. */
struct fake_entry {
    struct backstay_entry entry;
    char *content;
    size_t content_len;
    unsigned char token[BACKSTAY_TOKEN_MAX];
    size_t token_len;
    bool is_link;   /* came through link(): its content is that of its group */
    bool unchanged; /* taken over from the snapshot before */
};

struct fake_warning {
    char *path; /* NULL: about all */
    char *text;
};

/** What a backup recorded. */
struct fake_snapshot {
    STAY_VEC(struct fake_entry *) entries; /* sorted by path once the backup ended */
    STAY_VEC(struct fake_warning) warnings;
    bool sorted;
    struct stay_map *facts;   /* name to char * */
    struct stay_map *details; /* name to char * */
};

struct fake_snapshot *fake_snapshot_new(void);
void fake_snapshot_free(struct fake_snapshot *snapshot);
STAY_DEFINE_AUTO(struct fake_snapshot, fake_snapshot_free)

/** Adds a copy of @entry with @len bytes of content: also what no source would send. */
struct fake_entry *fake_snapshot_add(struct fake_snapshot *snapshot,
                                     const struct backstay_entry *entry, const void *content,
                                     size_t len);

/** Sorts by path, and gives links the content of their group. */
void fake_snapshot_finish(struct fake_snapshot *snapshot);

/** The entry @path, or NULL. */
struct fake_entry *fake_snapshot_find(const struct fake_snapshot *snapshot, const char *path);

/** The text of the first warning about @path (NULL: about all), or NULL. */
const char *fake_snapshot_warning(const struct fake_snapshot *snapshot, const char *path);

/** How often each function was called. */
struct fake_counts {
    unsigned unchanged;
    unsigned adopted; /* unchanged() answered 1 */
    unsigned whole;
    unsigned begin;
    unsigned write;
    unsigned end;
    unsigned abort;
    unsigned link;
    unsigned warn;
    unsigned expect;
    unsigned all;
};

struct fake_sink {
    struct backstay_sink abi;
    pthread_mutex_t lock;
    struct fake_snapshot *out;        /* the test's */
    const struct fake_snapshot *last; /* what unchanged() compares with; NULL: nothing */
    struct fake_counts counts;
    unsigned fail_at; /* the n-th call returns -1, and all after it; 0: never */
    unsigned open_streams;
    struct stay_buf violations; /* of the contract, one line each */

    /** Called at the beginning of each call, outside of the lock. NULL: nothing. */
    void (*hook)(void *ctx, const char *call, const char *path);
    void *hook_ctx;
};

void fake_sink_init(struct fake_sink *sink, struct fake_snapshot *out,
                    const struct fake_snapshot *last);

/** Ends a backup that returned @result: sorts the snapshot and looks for broken promises. */
void fake_sink_finish(struct fake_sink *sink, int result);

void fake_sink_free(struct fake_sink *sink);
