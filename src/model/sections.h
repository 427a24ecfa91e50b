/* src/model/sections.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * sections: the named sources and destinations of a configuration: their names, their types, and
 * their options as settings that a plugin's table will judge. Private to config.
 *
 * Layer: model. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "model/config.h"
#include "model/yaml.h"

/**
 * Reads the value @node of @key ("sources" or "destinations"). The sections point into the tree and
 * to @file, which must outlive them.
 */
void stay_sections_read(struct stay_config_sections *sections, const char *file, const char *key,
                        const struct stay_yaml *node, struct stay_problems *problems);

void stay_sections_free(struct stay_config_sections *sections);
