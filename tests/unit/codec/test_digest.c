/* tests/unit/codec/test_digest.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * digest: the vectors of FIPS 180-4 and RFC 4231, and ids as text.
 */
#include "codec/digest.h"

#include "support/cmocka.h"
#include "support/random.h"

static void assert_hex(const struct stay_id *id, const char *expected)
{
    char hex[STAY_ID_HEX + 1];

    assert_string_equal(stay_id_hex(hex, id), expected);
}

static void sha_256_of_the_published_examples_is_as_published(void **state)
{
    static const struct {
        const char *text;
        const char *sum;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id id;

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(examples); i++) {
        stay_digest_of(digest, examples[i].text, strlen(examples[i].text), &id);
        assert_hex(&id, examples[i].sum);
    }
}

static void a_million_times_a_in_uneven_pieces_hashes_as_published(void **state)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    char pieces[997];
    struct stay_id id;
    size_t left = 1000000;

    (void)state;
    memset(pieces, 'a', sizeof pieces);
    stay_digest_begin(digest);
    for (size_t n = 1; left > 0; n = n * 7 % sizeof pieces + 1) {
        size_t take = STAY_MIN(n, left);
        stay_digest_add(digest, pieces, take);
        left -= take;
    }
    stay_digest_end(digest, &id);
    assert_hex(&id, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void a_digest_that_was_begun_and_left_can_be_used_again(void **state)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id id;

    (void)state;
    stay_digest_begin(digest);
    stay_digest_add(digest, "left", 4);
    stay_digest_of(digest, "abc", 3, &id);
    assert_hex(&id, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    stay_digest_of(digest, "abc", 3, &id);
    assert_hex(&id, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    stay_digest_free(NULL);
}

static void hmac_of_the_examples_of_rfc_4231_is_as_published(void **state)
{
    static const char long_text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    unsigned char key[131];
    struct stay_id id;

    (void)state;
    memset(key, 0x0b, sizeof key);
    stay_digest_hmac(key, 20, "Hi There", 8, &id);
    assert_hex(&id, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    stay_digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, &id);
    assert_hex(&id, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    stay_digest_hmac(key, sizeof key, long_text, sizeof long_text - 1, &id);
    assert_hex(&id, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void an_id_comes_back_from_its_text_in_either_case(void **state)
{
    struct stay_random random = {1};
    char hex[STAY_ID_HEX + 1];
    struct stay_id id;
    struct stay_id back;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        stay_random_fill(&random, id.bytes, sizeof id.bytes);
        (void)stay_id_hex(hex, &id);
        assert_int_equal(strlen(hex), STAY_ID_HEX);
        assert_int_equal(stay_id_parse(&back, hex), 0);
        assert_true(stay_id_equal(&id, &back));
        for (char *c = hex; *c; c++)
            if (*c >= 'a')
                *c = (char)(*c - 'a' + 'A');
        assert_int_equal(stay_id_parse(&back, hex), 0);
        assert_true(stay_id_equal(&id, &back));
    }
}

static void what_is_not_64_digits_is_no_id(void **state)
{
    char hex[STAY_ID_HEX + 1];
    struct stay_id id = {{0}};

    (void)state;
    (void)stay_id_hex(hex, &id);
    for (size_t i = 0; i < STAY_ID_HEX; i++) {
        hex[i] = 'g';
        assert_int_equal(stay_id_parse(&id, hex), -1);
        hex[i] = '\0';
        assert_int_equal(stay_id_parse(&id, hex), -1);
        hex[i] = '0';
    }
    assert_int_equal(stay_id_parse(&id, hex), 0);
}

static void random_bytes_are_not_the_same_twice(void **state)
{
    unsigned char a[32] = {0};
    unsigned char b[32] = {0};

    (void)state;
    stay_random(a, sizeof a);
    stay_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_256_of_the_published_examples_is_as_published),
        cmocka_unit_test(a_million_times_a_in_uneven_pieces_hashes_as_published),
        cmocka_unit_test(a_digest_that_was_begun_and_left_can_be_used_again),
        cmocka_unit_test(hmac_of_the_examples_of_rfc_4231_is_as_published),
        cmocka_unit_test(an_id_comes_back_from_its_text_in_either_case),
        cmocka_unit_test(what_is_not_64_digits_is_no_id),
        cmocka_unit_test(random_bytes_are_not_the_same_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
