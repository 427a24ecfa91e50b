/* src/base/setting.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * setting: one name with its value as somebody wrote it, and where: what the configuration hands
 * to a plugin's option table without either knowing the other.
 *
 * Layer: base. Thread-safety: plain data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct stay_setting {
    const char *name;
    const char *text;         /* the scalar, references resolved; NULL for a list */
    const char *const *items; /* the list; NULL for a scalar */
    size_t n_items;
    const char *file; /* where it stands, for messages; NULL: not from a file */
    int line;
    int column;
    bool pending; /* the value is a reference that is not resolved: only the name can be judged */
};
