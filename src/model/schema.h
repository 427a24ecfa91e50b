/* src/model/schema.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * schema: the table of keys, and the conversion of one value to the type of its key. Private to
 * config.
 *
 * Layer: model. Thread-safety: no state.
 */
#pragma once

#include "model/config.h"

/** The row of the key @name, or NULL. */
const struct stay_config_key *stay_schema_find(const char *name);

/** The key most like @name, or NULL. */
const char *stay_schema_nearest(const char *name);

/**
 * Converts @text and stores it in the member of @config that @key describes.
 *
 * @return 0, or -1 with a message that does not say where: "`threads` must be ...".
 */
STAY_CHECKED int stay_schema_store(struct stay_config *config, const struct stay_config_key *key,
                                   const char *text, struct stay_err *err);

/** Stores all defaults that the table knows. */
void stay_schema_defaults(struct stay_config *config);
