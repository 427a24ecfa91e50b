/* plugins/shared/names.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * names: names of database objects as components of paths, and patterns that choose them.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mem.h"

#include <stdbool.h>

/**
 * Appends @name as one component of a path: every byte other than letters, digits, '_', '-' and
 * those of 0x80 and above becomes %XX.
 */
void plug_names_escape(struct plug_bytes *path, const char *name);

/** Whether @text matches @pattern, in which * stands for any characters and ? for one. */
bool plug_names_match(const char *pattern, const char *text);

/** Whether @text matches one of @n patterns. */
bool plug_names_match_any(const char *const *patterns, size_t n, const char *text);
