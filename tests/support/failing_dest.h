/* tests/support/failing_dest.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * failing_dest: passes calls on to another destination, and spoils the ones that its rules name.
 *
 *     stay_failing_dest_add(failing, &(struct stay_failing_rule){
 *         .op = STAY_DEST_OP_PUT, .prefix = "packs/", .nth = 3, .kind = BACKSTAY_ERR_SPACE});
 *
 * Layer: tests. Uses: base. Thread-safety: the functions of stay_failing_dest_ops() from any thread
 * at once; the rest when none runs.
 */
#pragma once

#include "support/dest_log.h"

#include <backstay/plugin.h>

/** What happens to a call that a rule names. */
enum stay_failing_how {
    STAY_FAILING_BEFORE,  /* nothing is done, and it fails */
    STAY_FAILING_AFTER,   /* it is done, and yet it fails: the answer was lost */
    STAY_FAILING_TORN,    /* put stores the first half, get reads it; and it fails */
    STAY_FAILING_CORRUPT, /* it succeeds with one bit of the content flipped at @offset */
    STAY_FAILING_SHORT    /* get succeeds with half of the bytes; put with half of them stored */
};

/** One rule. Zero members mean: any function, any name, the first call, once, BEFORE. */
struct stay_failing_rule {
    enum stay_dest_op op;
    const char *prefix; /* of the name; must live as long as the rule; NULL: any */
    unsigned nth;       /* 1 or 0: the first matching call from now on */
    unsigned times;     /* how many matching calls from there; 0: one; UINT_MAX: all */
    enum stay_failing_how how;
    int kind;        /* enum backstay_error_kind; 0: IO */
    uint64_t offset; /* of CORRUPT: in the object for put, in what is read for get */
};

struct stay_failing_dest;

/** A wrapper around @inner and its @self, both of which must outlive it. */
struct stay_failing_dest *stay_failing_dest_new(const struct backstay_destination *inner,
                                                void *self);

/** Releases the wrapper, not what is wrapped. NULL is allowed. */
void stay_failing_dest_free(struct stay_failing_dest *failing);
STAY_DEFINE_AUTO(struct stay_failing_dest, stay_failing_dest_free)

/** The functions of the ABI; their self is the struct stay_failing_dest. There is no open(). */
const struct backstay_destination *stay_failing_dest_ops(void);

/** Adds a rule; the first that matches a call decides. */
void stay_failing_dest_add(struct stay_failing_dest *failing, const struct stay_failing_rule *rule);

/** Forgets all rules. */
void stay_failing_dest_heal(struct stay_failing_dest *failing);

/** How many calls were spoilt so far: a test that expects trouble asserts that there was some. */
unsigned stay_failing_dest_hits(const struct stay_failing_dest *failing);

/** Every call so far, with the outcome that its caller saw. Belongs to @failing. */
const struct stay_dest_log *stay_failing_dest_log(const struct stay_failing_dest *failing);
