/* tests/support/tree.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * tree: directory trees for tests: makes odd and random ones, and compares two in every field.
 *
 * Layer: tests. Uses: base. Thread-safety: one thread. A failure to make a tree aborts.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>

/** Makes, below the existing folder @root, everything that a file system can hold; as root more. */
void stay_tree_make_odd(const char *root);

/** Makes a tree of about @n entries from @seed. */
void stay_tree_make_random(const char *root, uint64_t seed, size_t n);

/** Writes a file with @text, in the past (so that it is not racily clean). */
void stay_tree_write(const char *root, const char *path, const char *text);

/** A file of @len bytes that depend on @seed. */
void stay_tree_write_random(const char *root, const char *path, size_t len, uint64_t seed);

/** A folder @path with all above it, below @root. */
void stay_tree_mkdir(const char *root, const char *path);

/**
 * Compares two trees: names, types, contents, holes, modes, owners, times, attributes, links.
 * Sockets of @a may be missing in @b. What is below a folder that is missing is not listed.
 *
 * @differences receives one line for each difference, the first 20.
 * @return how many there are.
 */
size_t stay_tree_compare(const char *a, const char *b, struct stay_buf *differences);

/** Waits until what was written is not racily clean any more. */
void stay_tree_settle(void);

/** Lifts the limit of open files: comparing a deep tree holds two for each level. */
void stay_tree_lift_limits(void);
