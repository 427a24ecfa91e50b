/* src/store/doc.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * doc: the JSON documents of a repository, and typed access to their members.
 *
 * A sealed document is one line: a JSON object whose last member is "sha256", the SHA-256 of all
 * bytes before the comma in front of it. So any change to it is noticed, and
 * `sed 's/,"sha256":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum` checks it.
 *
 * Layer: store. Thread-safety: no state.
 */
#pragma once

#include "codec/digest.h"

#include <jansson.h>

STAY_DEFINE_AUTO(json_t, json_decref)

/** Writes @object (which is not empty) as a sealed document into @out, appending. */
void stay_doc_seal(struct stay_buf *out, const json_t *object);

/**
 * Checks the seal and parses.
 *
 * @what names the document in errors.
 * @out  a new reference to the object.
 * @return 0, or -1 with kind CORRUPT.
 */
STAY_CHECKED int stay_doc_open(json_t **out, const struct stay_buf *text, const char *what,
                               struct stay_err *err);

/** Parses JSON without a seal; an object or an array. */
STAY_CHECKED int stay_doc_parse(json_t **out, const char *text, size_t len, const char *what,
                                struct stay_err *err);

/* Members of @object: -1 with kind CORRUPT, naming the member, when it is missing or of another
 * type or out of range. What they return is borrowed from @object. */
STAY_CHECKED int stay_doc_string(const json_t *object, const char *key, const char **out,
                                 struct stay_err *err);
STAY_CHECKED int stay_doc_u64(const json_t *object, const char *key, uint64_t *out,
                              struct stay_err *err);
STAY_CHECKED int stay_doc_u32(const json_t *object, const char *key, uint32_t *out,
                              struct stay_err *err);
STAY_CHECKED int stay_doc_id(const json_t *object, const char *key, struct stay_id *out,
                             struct stay_err *err);
STAY_CHECKED int stay_doc_time(const json_t *object, const char *key, int64_t *out_wall_ns,
                               struct stay_err *err);
STAY_CHECKED int stay_doc_array(const json_t *object, const char *key, const json_t **out,
                                struct stay_err *err);
STAY_CHECKED int stay_doc_object(const json_t *object, const char *key, const json_t **out,
                                 struct stay_err *err);

/** Sets a member to a text; bytes that are not UTF-8 become '?'. */
void stay_doc_set_text(json_t *object, const char *key, const char *text);
void stay_doc_set_u64(json_t *object, const char *key, uint64_t value);
void stay_doc_set_time(json_t *object, const char *key, int64_t wall_ns);
