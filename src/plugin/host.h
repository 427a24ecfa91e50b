/* src/plugin/host.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * host: what one instance of a plugin is given: its options, validated against the plugin's table,
 * and the host's functions.
 *
 * Layer: plugin. Thread-safety: the callbacks from any thread; the rest from one.
 */
#pragma once

#include "base/base.h"
#include "base/setting.h"

#include <backstay/plugin.h>

struct stay_host;

/** What surrounds an instance. */
struct stay_host_env {
    const char *name;                   /* the configured name of the source or destination */
    const char *base_folder;            /* what relative PATH options are relative to; NULL: none */
    const char *scratch_parent;         /* where its scratch folder is made; NULL: it gets none */
    unsigned jobs;                      /* threads that a call may keep busy; at least 1 */
    const struct stay_cancel *cancel;   /* may be NULL */
    const struct stay_setting *section; /* where it begins in the file, for messages; may be NULL */
};

/**
 * Checks @settings against @plugin's option table and converts them. An unknown name ("did you
 * mean"), a value of the wrong type, a missing required one: kind CONFIG with file, line, column.
 */
STAY_CHECKED int stay_host_new(struct stay_host **out, const struct backstay_plugin *plugin,
                               const struct stay_setting *settings, size_t n_settings,
                               const struct stay_host_env *env, struct stay_err *err);

/**
 * Judges @settings as stay_host_new() does, and lets pending ones pass.
 *
 * @env only name, base_folder and section matter.
 */
STAY_CHECKED int stay_host_check(const struct backstay_plugin *plugin,
                                 const struct stay_setting *settings, size_t n_settings,
                                 const struct stay_host_env *env, struct stay_err *err);

/** Removes the scratch folder and releases everything; secrets are wiped. NULL is allowed. */
void stay_host_free(struct stay_host *host);
STAY_DEFINE_AUTO(struct stay_host, stay_host_free)

/** What is handed to the plugin. */
const struct backstay_host *stay_host_abi(const struct stay_host *host);
const struct stay_cancel *stay_host_cancel(const struct stay_host *host);
const char *stay_host_name(const struct stay_host *host);

/** Copies a plugin's error (kind, text, secrets redacted) and returns -1. */
int stay_host_error(struct stay_err *err, const struct backstay_error *from);
