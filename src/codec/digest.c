/* src/codec/digest.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The EVP context is initialised with the algorithm once and restarted without one afterwards:
 * fetching the algorithm for each small chunk would cost more than hashing it.
 */
#include "codec/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

struct stay_digest {
    EVP_MD_CTX *ctx;
};

/* OpenSSL fails here only when it is broken or out of memory. */
static void must(int ok)
{
    if (ok != 1) {
        (void)fprintf(stderr, "backstay: the OpenSSL library does not work on this machine\n");
        abort();
    }
}

struct stay_digest *stay_digest_new(void)
{
    struct stay_digest *digest = stay_new(struct stay_digest);

    digest->ctx = EVP_MD_CTX_new();
    must(digest->ctx != NULL);
    must(EVP_DigestInit_ex2(digest->ctx, EVP_sha256(), NULL));
    return digest;
}

void stay_digest_free(struct stay_digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->ctx);
    free(digest);
}

void stay_digest_begin(struct stay_digest *digest)
{
    must(EVP_DigestInit_ex2(digest->ctx, NULL, NULL));
}

void stay_digest_add(struct stay_digest *digest, const void *data, size_t len)
{
    must(EVP_DigestUpdate(digest->ctx, data, len));
}

void stay_digest_end(struct stay_digest *digest, struct stay_id *out)
{
    must(EVP_DigestFinal_ex(digest->ctx, out->bytes, NULL));
}

void stay_digest_of(struct stay_digest *digest, const void *data, size_t len, struct stay_id *out)
{
    stay_digest_begin(digest);
    stay_digest_add(digest, data, len);
    stay_digest_end(digest, out);
}

void stay_digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                      struct stay_id *out)
{
    unsigned n = STAY_ID_BYTES;

    must(HMAC(EVP_sha256(), key, (int)key_len, data, len, out->bytes, &n) != NULL);
}

void stay_random(void *out, size_t len)
{
    must(RAND_bytes(out, (int)len));
}

char *stay_id_hex(char out[static STAY_ID_HEX + 1], const struct stay_id *id)
{
    stay_hex_encode(out, id->bytes, STAY_ID_BYTES);
    out[STAY_ID_HEX] = '\0';
    return out;
}

int stay_id_parse(struct stay_id *out, const char *text)
{
    return stay_hex_decode(out->bytes, text, STAY_ID_BYTES);
}
