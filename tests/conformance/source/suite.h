/* tests/conformance/source/suite.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * suite: what every source must do, as one set of tests over a factory.
 *
 * Layer: tests.
 */
#pragma once

#include "support/cmocka.h"
#include "support/fake_feed.h"

/** A source under test. */
struct suite_source {
    const struct backstay_source *ops;
    void *self;
    struct stay_cancel cancel; /* what its host says when it asks whether to stop */
    void *ctx;                 /* the factory's */
};

/** Makes sources. A factory that fails says why with fail_msg(). */
struct suite_factory {
    /** Fills @source in: a source with something of everything in it. */
    void (*open)(struct suite_source *source);

    /** Closes it and removes all that it made. */
    void (*close)(struct suite_source *source);

    /** Somewhere to restore into, where nothing is yet; the caller frees the text. */
    char *(*target)(struct suite_source *source);

    /** Whether something is at the target. */
    bool (*exists)(struct suite_source *source, const char *location);

    /** Compares the source with a copy; @differences receives what is not equal. */
    void (*compare)(struct suite_source *source, const char *location,
                    struct stay_buf *differences);

    bool knows_unchanged; /* a second backup of an unchanged source sends no content */
};

/** Runs all tests. @return what main() should. */
int suite_run(const struct suite_factory *factory);
