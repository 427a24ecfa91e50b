/* tests/support/fake_feed.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fake_feed: hands a snapshot that a fake_sink recorded (or a test forged) to a source's restore,
 * in pull mode or in bulk mode: from several threads, in a random order, in pieces. It keeps what
 * is reported, holds the source to the contract, and can leave out pieces as damage does.
 *
 * Layer: tests. Uses: base. Thread-safety: the functions of the ABI from any thread; the rest when
 * no call runs.
 */
#pragma once

#include "support/fake_sink.h"

/** What became of one entry. */
struct fake_outcome {
    unsigned done;
    unsigned kept; /* of them */
    char *problem; /* the first; NULL: none */
};

struct fake_feed {
    struct backstay_feed abi;
    pthread_mutex_t lock;
    const struct fake_snapshot *snapshot;
    struct fake_outcome *outcomes; /* one per entry */
    unsigned threads;              /* of bulk mode; default 2 */
    size_t piece_bytes;            /* longer contents come in pieces; default 1 MiB */
    uint64_t seed;                 /* of the order */
    const char *damaged;           /* the path of a file whose content is damaged; NULL: none */
    uint64_t fail_at;              /* the n-th entry() returns NULL; 0: never */
    uint64_t asked;
    unsigned open_handles; /* cursors and readers */
    unsigned bulk_calls;
    struct stay_buf violations;

    /** Called before each whole, piece and finish. NULL: nothing. */
    void (*hook)(void *ctx, const char *call, const char *path);
    void *hook_ctx;
};

void fake_feed_init(struct fake_feed *feed, const struct fake_snapshot *snapshot);

/** Ends a restore that returned @result: looks for broken promises. */
void fake_feed_finish(struct fake_feed *feed, int result);

void fake_feed_free(struct fake_feed *feed);

/** What became of @path, which must be in the snapshot. */
const struct fake_outcome *fake_feed_outcome(const struct fake_feed *feed, const char *path);

/** How many entries have a problem; @first receives the first one's text (or NULL). */
size_t fake_feed_problems(const struct fake_feed *feed, const char **first);

/* ---------------------------------------------------------------- reports */

struct fake_finding {
    int severity;
    char *subject;
    char *text;
};

/** What check() or probe() reported. */
struct fake_report {
    struct backstay_report abi;
    STAY_VEC(struct fake_finding) findings;
    struct stay_map *facts; /* name to char * */
};

void fake_report_init(struct fake_report *report);
void fake_report_free(struct fake_report *report);

/** The first finding about @subject, or NULL. */
const struct fake_finding *fake_report_finding(const struct fake_report *report,
                                               const char *subject);

/** Facts as a text for comparison: "name=value" lines, sorted. Caller frees. */
char *fake_report_text(const struct fake_report *report);
