/* plugins/source/media/media.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * media: one configured directory tree, and what can be done with it.
 *
 * Thread-safety: an instance does not change once opened; one call at a time uses it.
 */
#pragma once

#include <backstay/plugin.h>

#include <stdbool.h>

struct media_patterns;

struct media {
    const struct backstay_host *host;
    const char *path; /* the root of the tree, as configured */
    struct media_patterns *exclude;
    struct media_patterns *include;
    bool exclude_caches;
    bool one_file_system;
    bool xattrs;
    bool ignore_inode;
};

int media_backup(void *self, struct backstay_sink *sink, struct backstay_error *err);
int media_restore(void *self, const struct backstay_target *target, struct backstay_feed *feed,
                  struct backstay_error *err);
int media_check(void *self, struct backstay_report *report, struct backstay_error *err);
int media_probe(void *self, const struct backstay_target *target, struct backstay_report *report,
                struct backstay_error *err);

/** What @error (an errno) means; safe in threads, unlike strerror(3). */
const char *media_why(int error);

/** The kind of failure (enum backstay_error_kind) that @error, an errno, stands for. */
int media_kind(int error);
