/* src/base/json.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * json: writes byte strings as JSON strings so that every byte comes back.
 *
 * Paths are bytes. Valid UTF-8 is written as it is; a byte that is not part of valid UTF-8 is
 * written as the lone low surrogate \udc80 .. \udcff (0xdc00 + byte), as Python's surrogateescape
 * does. Valid UTF-8 cannot contain surrogates, so the mapping is one to one.
 *
 * Reading whole documents is jansson's work; this is for lines written by the million.
 *
 * Layer: base. Thread-safety: no state.
 */
#pragma once

#include "base/buf.h"

/** Appends @text, quoted and escaped. */
void stay_json_add_string(struct stay_buf *buf, const void *text, size_t len);

/**
 * Decodes the JSON string at @text (which starts with its quote; at most @len bytes are read) and
 * appends its bytes to @out.
 *
 * @return how many bytes of @text it took, or -1 when it is not a well-formed string or would
 *         decode to a NUL byte.
 */
STAY_CHECKED long stay_json_read_string(struct stay_buf *out, const char *text, size_t len);
