/* src/codec/library.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "codec/library.h"

#include <archive.h>
#include <openssl/crypto.h>
#include <zstd.h>

void stay_codec_libraries(struct stay_library out[static STAY_CODEC_LIBRARIES])
{
    out[0] = (struct stay_library){"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)};
    out[1] = (struct stay_library){"zstd", ZSTD_versionString()};
    out[2] = (struct stay_library){"libarchive", archive_version_string() + sizeof "libarchive"};
}
