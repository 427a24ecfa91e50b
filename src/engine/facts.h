/* src/engine/facts.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * facts: what was recorded about a source at backup, compared with what a restored copy says.
 *
 * Nothing that is not there counts as equal: damaged facts, facts that the copy does not report and
 * a comparison of nothing are told apart from success.
 *
 * Layer: engine. Thread-safety: one thread; the source may report from threads of its own.
 */
#pragma once

#include "engine/lines.h"
#include "engine/progress.h"
#include "plugin/source.h"

enum stay_fact_verdict {
    STAY_FACT_EQUAL,
    STAY_FACT_DIFFERENT,
    STAY_FACT_MISSING,      /* recorded, and the copy does not report it */
    STAY_FACT_UNEXPECTED,   /* reported, and was not recorded */
    STAY_FACT_INCOMPARABLE, /* NAME@X, where the copy does not report that name (plugin.h) */
    STAY_FACT_VERDICTS
};

/** One fact that is not equal. */
struct stay_fact {
    enum stay_fact_verdict verdict;
    char *name;
    char *recorded; /* NULL: unexpected */
    char *found;    /* NULL: missing or incomparable */
};

/** Zero-initialise; release with stay_comparison_free(). */
struct stay_comparison {
    STAY_VEC(struct stay_fact) facts;    /* those that are not equal, sorted by name */
    uint64_t counts[STAY_FACT_VERDICTS]; /* of all, the equal ones too */
    uint64_t in_scope;                   /* recorded facts that the restore covers */
    struct stay_err damage;              /* kind not NONE: recorded facts are missing, and why */
};

/** What a comparison as a whole has shown. */
enum stay_comparison_outcome {
    STAY_COMPARISON_EQUAL,     /* at least one fact is equal and none is otherwise */
    STAY_COMPARISON_NOTHING,   /* there was nothing to compare with */
    STAY_COMPARISON_DIFFERENT, /* facts differ, are missing or were not expected */
    STAY_COMPARISON_DAMAGED    /* none differs, but not all recorded facts could be read */
};

struct stay_comparison_options {
    struct stay_source *source;           /* one that compares (stay_source_compares()) */
    const struct backstay_target *target; /* where it was restored to */
    const struct stay_lines *recorded;    /* the facts of the snapshot */
    bool limited;                         /* a part was restored: more may be there than that */
    const struct stay_cancel *cancel;     /* may be NULL */
    struct stay_progress *progress;       /* may be NULL; counts facts as entries */
};

/**
 * Asks the copy for its facts and compares them with the recorded ones.
 *
 * @return 0, whatever the comparison shows; -1 when the copy could not be asked. @out is to be
 *         released in both cases.
 */
STAY_CHECKED int stay_facts_compare(const struct stay_comparison_options *options,
                                    struct stay_comparison *out, struct stay_err *err);
void stay_comparison_free(struct stay_comparison *comparison);

enum stay_comparison_outcome stay_comparison_outcome(const struct stay_comparison *comparison);

/** "equal", "different", "missing", "unexpected", "incomparable". */
const char *stay_fact_verdict_name(enum stay_fact_verdict verdict);
