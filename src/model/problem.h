/* src/model/problem.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * problem: what is wrong in a configuration file, all of it at once, so that its user mends it in
 * one go.
 *
 * Layer: model. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/base.h"

enum { STAY_PROBLEMS_KEPT = 20 };

/** Zero-initialise; release with stay_problems_free(). */
struct stay_problems {
    char *texts[STAY_PROBLEMS_KEPT]; /* "FILE:LINE:COLUMN: message" */
    size_t n;                        /* how many are kept */
    size_t total;                    /* how many there were */
};

/** Adds "@file:@line:@column: message"; control characters become '?'. */
void stay_problems_add(struct stay_problems *problems, const char *file, int line, int column,
                       const char *fmt, ...) STAY_PRINTF(5, 6);

/**
 * The first problem as an error of kind CONFIG, with "(and N more)" where there are more.
 *
 * @return 0 when there are none, else -1.
 */
STAY_CHECKED int stay_problems_fail(const struct stay_problems *problems, struct stay_err *err);

void stay_problems_free(struct stay_problems *problems);

static inline void stay_problems_free_auto(struct stay_problems *problems)
{
    stay_problems_free(problems);
}

#define stay_auto_problems __attribute__((cleanup(stay_problems_free_auto)))
