/* src/cli/facts.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * facts: how a comparison of facts is shown, to people and as JSON.
 *
 * Layer: cli. Thread-safety: one thread.
 */
#pragma once

#include "cli/output.h"
#include "engine/facts.h"

/**
 * "facts: 1,204 of 1,204 equal", or each fact that is not (at most 20); what is wrong goes to the
 * log.
 *
 * @return STAY_EXIT_OK when all is equal; STAY_EXIT_VERIFY when facts differ or are damaged;
 *         STAY_EXIT_PARTIAL when there was nothing to compare with.
 */
int stay_facts_print(struct stay_output *output, const struct stay_comparison *comparison);

/** The same as an object, with all facts that are not equal. */
json_t *stay_facts_json(const struct stay_comparison *comparison);
