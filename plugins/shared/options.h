/* plugins/shared/options.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * options: rows of an option table, and the values that the host gives for them.
 *
 * Thread-safety: constant data.
 */
#pragma once

#include <backstay/plugin.h>

#include <stdbool.h>

/** A row of a plugin's table: name, enum backstay_option_type, flags, default text, help. */
#define PLUG_OPTION(name_, type_, flags_, default_, help_)                                         \
    &(const struct backstay_option)                                                                \
    {                                                                                              \
        .size = sizeof(struct backstay_option), .type = (type_), .flags = (flags_),                \
        .name = (name_), .default_text = (default_), .help = (help_)                               \
    }

/** The value of option number @option; one that is not set when the host knows of none. */
const struct backstay_value *plug_value(const struct backstay_host *host, unsigned option);

/** Its text, or NULL when it is absent or empty; its number, or @otherwise. */
const char *plug_text(const struct backstay_host *host, unsigned option);
int64_t plug_number(const struct backstay_host *host, unsigned option, int64_t otherwise);
bool plug_flag(const struct backstay_host *host, unsigned option, bool otherwise);

/** The value of @key among the options of a restore, or NULL. */
const char *plug_target_option(const struct backstay_target *target, const char *key);
