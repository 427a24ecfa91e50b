/* plugins/source/media/pattern.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * pattern: lists of patterns with the meaning that they have in a gitignore file.
 *
 *   *.tmp      a name, anywhere          /cache     this path only, from the root
 *   cache/     folders only              a/b        a slash inside: from the root, too
 *   **         any number of folders     !keep.tmp  takes back what an earlier pattern matched
 *   * ? [a-z]  within one name           \*         the character itself
 *
 * The last pattern that matches decides. There are no comments. Patterns work on bytes, and their
 * cost is polynomial whatever is in them.
 *
 * Thread-safety: a list does not change once made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct media_patterns;

enum media_match { MEDIA_MATCH_NONE, MEDIA_MATCH_YES, MEDIA_MATCH_NEGATED };

/**
 * Makes a list of @n patterns.
 *
 * @bad @why receive the number of the pattern that is wrong, and what is wrong with it.
 * @return 0 with *@out to be released with media_patterns_free(), or -1.
 */
int media_patterns_new(struct media_patterns **out, const char *const *texts, size_t n, size_t *bad,
                       const char **why);

/** NULL is allowed. */
void media_patterns_free(struct media_patterns *list);

bool media_patterns_empty(const struct media_patterns *list);

/** Whether a pattern of the list begins with "!". */
bool media_patterns_negate(const struct media_patterns *list);

/** What the last matching pattern says about @path (relative, without a slash at either end). */
enum media_match media_patterns_match(const struct media_patterns *list, const char *path,
                                      size_t len, bool is_folder);

/** Whether something below the folder @path could match. */
bool media_patterns_lead(const struct media_patterns *list, const char *path, size_t len);
