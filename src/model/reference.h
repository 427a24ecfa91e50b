/* src/model/reference.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * reference: a value of the configuration that says where the real one is: env:NAME, file:PATH,
 * cred:NAME (a file in the folder of systemd's credentials), exec:COMMAND. Nothing is expanded
 * inside of other text.
 *
 * Layer: model. Thread-safety: no state.
 */
#pragma once

#include "base/base.h"
#include "base/setting.h"

/** Where references lead to. */
struct stay_resolver {
    const char *(*get)(void *ctx, const char *name); /* a variable of the environment, or NULL */
    void *ctx;
    const char *base_folder;          /* what relative paths are relative to; NULL: none */
    const struct stay_cancel *cancel; /* may be NULL */
    int64_t exec_limit_ns;            /* how long a command may take; 0: 30 s */
};

/** Whether @text is a reference. */
bool stay_reference_is(const char *text);

/** Whether @text is a reference to nothing: "env:". */
bool stay_reference_is_empty(const char *text);

/**
 * The value that @text refers to, or a copy of @text where it is no reference. One newline at the
 * end of a file or of a command's output is cut.
 *
 * @out for the caller to free; it may be a secret.
 * @return 0, or -1 (kind CONFIG, AUTH, CANCELLED) saying which reference failed and why.
 */
STAY_CHECKED int stay_reference_resolve(char **out, const char *text,
                                        const struct stay_resolver *resolver, struct stay_err *err);

/** Settings with their references resolved: what a plugin's option table is given. */
struct stay_settings {
    struct stay_setting *items;
    size_t n;
};

/**
 * Resolves @n settings as they were written.
 *
 * @out shares names and places with @from, which must outlive it; release with
 *      stay_settings_free().
 * @return 0, or -1 with a message that begins with FILE:LINE:COLUMN.
 */
STAY_CHECKED int stay_settings_resolve(struct stay_settings *out, const struct stay_setting *from,
                                       size_t n, const struct stay_resolver *resolver,
                                       struct stay_err *err);

/** Copies @n settings as they were written, and marks references as pending. */
void stay_settings_defer(struct stay_settings *out, const struct stay_setting *from, size_t n);

/** Wipes and releases the values. */
void stay_settings_free(struct stay_settings *settings);

static inline void stay_settings_free_auto(struct stay_settings *settings)
{
    stay_settings_free(settings);
}

#define stay_auto_settings __attribute__((cleanup(stay_settings_free_auto)))
