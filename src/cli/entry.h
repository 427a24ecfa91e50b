/* src/cli/entry.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * entry: one entry of a snapshot as a line for people or as JSON.
 *
 * Layer: cli. Thread-safety: no state.
 */
#pragma once

#include "cli/output.h"
#include "store/manifest.h"

/** "-rw-r--r--  root     root        123  2026-11-22 02:30:00  path -> target", or the path alone.
 */
void stay_entry_print(struct stay_output *output, const struct stay_manifest_entry *entry,
                      bool detailed);

json_t *stay_entry_json(const struct stay_manifest_entry *entry);
