/* plugins/shared/preflight.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * preflight: what a look at a source finds, before a backup of it begins: what is BAD ends the
 * backup, a warning is noted in the snapshot.
 *
 * Thread-safety: one thread.
 */
#pragma once

#include <backstay/plugin.h>

/**
 * Calls @look with a report, and passes on what it finds.
 *
 * @return 0: nothing stands against the backup; -1 with @err: the first thing that is BAD (the
 * others are logged), or why @look could not look.
 */
int plug_preflight(const struct backstay_host *host, struct backstay_sink *sink,
                   int (*look)(void *ctx, struct backstay_report *report,
                               struct backstay_error *err),
                   void *ctx, struct backstay_error *err) __attribute__((warn_unused_result));
