/* tests/fuzz/sealed.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * sealed: documents whose seal is right, so that the fuzzer gets behind it.
 *
 * Layer: tests. Thread-safety: no state.
 */
#pragma once

#include "codec/digest.h"

/** Appends @data, a JSON object whose closing brace does not matter, as a sealed document. */
static inline void fuzz_seal(struct stay_buf *out, const void *data, size_t len)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id sum;

    if (len && ((const char *)data)[len - 1] == '\n')
        len--;
    if (len && ((const char *)data)[len - 1] == '}')
        len--;
    stay_digest_of(digest, data, len, &sum);
    stay_buf_add(out, data, len);
    stay_buf_str(out, ",\"sha256\":\"");
    stay_buf_hex(out, sum.bytes, sizeof sum.bytes);
    stay_buf_str(out, "\"}\n");
}
