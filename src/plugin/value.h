/* src/plugin/value.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * value: turns settings as they were written into values of the types that a plugin's option table
 * declares. Private to host.
 *
 * Layer: plugin. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/base.h"
#include "base/setting.h"

#include <backstay/plugin.h>

/** One value and the memory behind it. Zero-initialise. */
struct stay_value {
    struct backstay_value abi;
    char *text;
    char **items;
    size_t n_items;
    bool secret;
};

/** What a message says about where a value belongs. */
struct stay_value_scope {
    const struct backstay_plugin *plugin;
    const char *name;                   /* of the source or destination */
    const char *base_folder;            /* what relative paths are relative to; NULL: none */
    const struct stay_setting *section; /* where it begins; NULL: unknown */
    bool pending;                       /* whether settings may be pending */
};

/**
 * Fills @values (one per row of the option table, in its order) from @settings and from the table's
 * defaults. Values of secret options are registered with stay_log_hide().
 *
 * @return 0, or -1 with kind CONFIG and a message that begins with FILE:LINE:COLUMN where known.
 */
STAY_CHECKED int stay_values_read(struct stay_value *values, const struct stay_value_scope *scope,
                                  const struct stay_setting *settings, size_t n_settings,
                                  struct stay_err *err);

/** Releases @n values and their array; secrets are wiped. NULL is allowed. */
void stay_values_free(struct stay_value *values, size_t n);
