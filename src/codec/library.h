/* src/codec/library.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * library: the versions of the libraries that this layer hides.
 *
 * Layer: codec. Thread-safety: no state.
 */
#pragma once

struct stay_library {
    const char *name;
    const char *version;
};

enum { STAY_CODEC_LIBRARIES = 3 };

/** Fills in what is loaded now, which may be newer than what was built against. */
void stay_codec_libraries(struct stay_library out[static STAY_CODEC_LIBRARIES]);
