/* src/model/yaml.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * yaml: reads the part of YAML that a configuration needs into a tree that knows the line and
 * column of every node: maps, lists and scalars. A scalar is text; what it means is for the schema
 * to say. Anchors, aliases, tags, keys that are not scalars, duplicate keys and further documents
 * are refused.
 *
 * Hides libyaml. Layer: model. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "model/problem.h"

enum stay_yaml_type { STAY_YAML_SCALAR, STAY_YAML_LIST, STAY_YAML_MAP };

struct stay_yaml {
    enum stay_yaml_type type;
    int line;                /* from 1 */
    int column;              /* from 1, in characters */
    bool empty;              /* a scalar of which nothing is written: "key:" */
    char *text;              /* of a scalar, else NULL */
    struct stay_yaml **keys; /* of a map, scalars, as many as items; else NULL */
    struct stay_yaml **items;
    size_t n;
};

/**
 * Reads @len bytes at @data. Everything that is wrong goes to @problems, as lines of @file.
 *
 * @return the root, for stay_yaml_free(); NULL (with a problem added) when there is none, or when
 *         what follows could not be understood. A tree may come with problems.
 */
struct stay_yaml *stay_yaml_read(const char *data, size_t len, const char *file,
                                 struct stay_problems *problems);

/** The value of @key in a map, or NULL. */
const struct stay_yaml *stay_yaml_get(const struct stay_yaml *map, const char *key);

/** "a value", "a list" or "a map", for messages. */
const char *stay_yaml_form(const struct stay_yaml *node);

/** The version of libyaml. */
const char *stay_yaml_version(void);

/** Releases the tree; its texts are wiped, because some of them may be secrets. NULL is allowed. */
void stay_yaml_free(struct stay_yaml *node);
STAY_DEFINE_AUTO(struct stay_yaml, stay_yaml_free)
