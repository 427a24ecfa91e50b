/* tests/unit/store/test_manifest_decode.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * manifest decoding: forged lines are refused, members that a later version adds are passed over.
 */
#include "store/manifest.h"

#include "support/cmocka.h"
#include "support/random.h"

#define ID             "0000000000000000000000000000000000000000000000000000000000000000"
#define DIR            "{\"path\":\"a\",\"type\":\"dir\""
#define FILE_OF(bytes) "{\"path\":\"a\",\"type\":\"file\",\"bytes\":" bytes

static int decode(struct stay_manifest_entry *out, const char *text, struct stay_err *err)
{
    return stay_manifest_decode(out, text, strlen(text), err);
}

static void assert_refused(const char *text)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    stay_auto_str char *expected = stay_strf("a manifest line is malformed: %.*s", 120, text);
    struct stay_err err = {0};

    if (decode(&entry, text, &err) == 0)
        fail_msg("accepted: %s", text);
    assert_error(err, STAY_ERR_CORRUPT, expected);
}

static void assert_accepted(const char *text)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    struct stay_err err = {0};

    assert_ok(decode(&entry, text, &err), err);
}

static void paths_that_lead_out_of_the_target_are_refused(void **state)
{
    static const char *const paths[] = {
        "..",    "../x", "a/..", "a/../b", "/etc/passwd", "/",         ".",          "./a",
        "a/./b", "a/.",  "a//b", "a/",     "\\u0000",     "a\\u0000b", "a/\\u002e.", "\\/etc",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(paths); i++) {
        stay_auto_str char *line = stay_strf("{\"path\":\"%s\",\"type\":\"dir\"}\n", paths[i]);
        assert_refused(line);
    }
    assert_accepted("{\"path\":\"\",\"type\":\"dir\"}\n");
    assert_accepted("{\"path\":\"...\",\"type\":\"dir\"}\n");
    assert_accepted("{\"path\":\"..a/.b/c..\",\"type\":\"dir\"}\n");
}

static void only_a_folder_can_be_the_root(void **state)
{
    (void)state;
    assert_refused("{\"path\":\"\",\"type\":\"file\",\"bytes\":0,\"chunks\":[]}\n");
    assert_refused("{\"path\":\"\",\"type\":\"symlink\",\"target\":\"/etc\"}\n");
    assert_refused("{\"path\":\"\",\"type\":\"fifo\"}\n");
}

static void a_path_of_absurd_length_is_refused(void **state)
{
    stay_auto_buf struct stay_buf line = {0};
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    struct stay_err err = {0};

    (void)state;
    stay_buf_str(&line, "{\"path\":\"");
    for (int i = 0; i < STAY_MANIFEST_PATH_MAX + 1; i++)
        stay_buf_char(&line, 'a');
    stay_buf_str(&line, "\",\"type\":\"dir\"}\n");
    assert_int_equal(stay_manifest_decode(&entry, line.data, line.len, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_CORRUPT);
}

static void what_is_missing_is_missed(void **state)
{
    (void)state;
    assert_refused("");
    assert_refused("\n");
    assert_refused("{}\n");
    assert_refused("{\"type\":\"dir\"}\n");
    assert_refused("{\"path\":\"a\"}\n");
    assert_refused(DIR "}");
    assert_refused(DIR "\n");
    assert_refused(DIR ",}\n");
    assert_refused(DIR "} \n");
    assert_refused(DIR "}\n{\"path\":\"b\",\"type\":\"dir\"}\n");
    assert_refused("{\"path\":\"a\",\"type\":\"file\",\"chunks\":[]}\n");
    assert_refused("{\"path\":\"a\",\"type\":\"symlink\"}\n");
    assert_refused("{\"path\":\"a\",\"type\":\"door\"}\n");
    assert_refused("{\"path\":\"a\",\"type\":3}\n");
}

static void content_belongs_to_files_alone(void **state)
{
    (void)state;
    assert_refused(DIR ",\"chunks\":[\"" ID "\"]}\n");
    assert_refused(DIR ",\"extents\":[]}\n");
    assert_refused(DIR "}\n{\"part\":1,\"chunks\":[\"" ID "\"]}\n");
    assert_accepted(FILE_OF("1") ",\"chunks\":[\"" ID "\"]}\n");
}

static void extents_lie_in_their_order_inside_of_the_file(void **state)
{
    static const char *const bad[] = {
        "[[0,11]]",
        "[[11,0]]",
        "[[5,5],[0,5]]",
        "[[0,5],[4,1]]",
        "[[0]]",
        "[[0,1,2]]",
        "[0,1]",
        "[[0,1],]",
        "[[-1,2]]",
        "[[\"0\",1]]",
        "[[18446744073709551615,1]]",
        "[[1,18446744073709551615]]",
        "[[0,18446744073709551616]]",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        stay_auto_str char *line =
            stay_strf(FILE_OF("10") ",\"extents\":%s,\"chunks\":[]}\n", bad[i]);
        assert_refused(line);
    }
    assert_accepted(FILE_OF("10") ",\"extents\":[],\"chunks\":[]}\n");
    assert_accepted(FILE_OF("10") ",\"extents\":[[0,5],[5,5],[10,0]],\"chunks\":[]}\n");
}

static void parts_come_in_their_order_and_nothing_between(void **state)
{
    static const char *const bad[] = {
        "{\"part\":2,\"chunks\":[\"" ID "\"]}\n",
        "{\"part\":0,\"chunks\":[\"" ID "\"]}\n",
        "{\"part\":1,\"chunks\":[\"" ID "\"]}\n{\"part\":1,\"chunks\":[]}\n",
        "{\"part\":1,\"chunks\":[\"" ID "\"]}\n{\"part\":3,\"chunks\":[]}\n",
        "{\"part\":1,\"bytes\":1,\"chunks\":[]}\n",
        "{\"part\":1}\n",
        "{\"part\":1,\"chunks\":[]}",
        "{\"path\":\"b\",\"type\":\"dir\"}\n",
        "x",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        stay_auto_str char *line = stay_strf(FILE_OF("10") ",\"chunks\":[]}\n%s", bad[i]);
        assert_refused(line);
    }
    assert_accepted(FILE_OF("10") ",\"chunks\":[]}\n{\"part\":1,\"chunks\":[]}\n"
                                  "{\"part\":2,\"chunks\":[\"" ID "\"]}\n");
}

static void chunk_ids_are_64_digits_each(void **state)
{
    static const char *const bad[] = {
        "[\"12\"]",      "[12]", "[\"" ID "\",]", "[\"" ID "\" ]", "[\"g" ID "\"]",
        "[\"" ID "0\"]", "{}",   "null",          "[\"" ID "\"",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        stay_auto_str char *line = stay_strf(FILE_OF("10") ",\"chunks\":%s}\n", bad[i]);
        assert_refused(line);
    }
}

static void numbers_and_modes_are_what_they_must_be(void **state)
{
    static const char *const bad[] = {
        "\"mode\":\"644\"",
        "\"mode\":\"0648\"",
        "\"mode\":420",
        "\"mode\":\"00644\"",
        "\"uid\":-1",
        "\"uid\":4294967296",
        "\"gid\":\"0\"",
        "\"link\":-1",
        "\"link\":18446744073709551616",
        "\"bytes\":-1",
        "\"bytes\":1.5",
        "\"bytes\":9223372036854775808",
        "\"rdev\":[1]",
        "\"rdev\":[1,2,3]",
        "\"rdev\":1",
        "\"changed\":1",
        "\"xattrs\":[]",
        "\"xattrs\":{\"a\":\"0\"}",
        "\"user\":null",
        "\"xattrs\":{\"a\":\"zz\"}",
        "\"pairs\":{\"a\":1}",
        "\"pairs\":{\"a\"}",
        "\"target\":7",
        "\"group\":[]",
        "\"xattrs\":{}",
        "\"pairs\":{}",
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        stay_auto_str char *line = stay_strf(DIR ",%s}\n", bad[i]);
        assert_refused(line);
    }
}

static void times_have_nine_digits_behind_the_point(void **state)
{
    static const char *const bad[] = {
        "1.5",
        "1",
        "1.",
        ".000000001",
        "1.0000000000",
        "1.00000000",
        "--1.000000000",
        "1.-00000000",
        "+1.000000000",
        "1.000000000x",
        "9223372036854775808.000000000",
        "-9223372036854775809.000000000",
    };
    static const struct {
        const char *text;
        int64_t seconds;
        uint32_t ns;
    } good[] = {
        {"0.000000000", 0, 0},
        {"1795314600.123456789", 1795314600, 123456789},
        {"-1.000000001", -1, 1},
        {"9223372036854775807.999999999", INT64_MAX, 999999999},
        {"-9223372036854775808.000000000", INT64_MIN, 0},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        stay_auto_str char *line = stay_strf(DIR ",\"mtime\":\"%s\"}\n", bad[i]);
        assert_refused(line);
    }
    for (size_t i = 0; i < STAY_COUNT(good); i++) {
        stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
        stay_auto_str char *line = stay_strf(DIR ",\"mtime\":\"%s\"}\n", good[i].text);
        struct stay_err err = {0};
        assert_ok(decode(&entry, line, &err), err);
        assert_true(entry.entry.mtime_s == good[i].seconds);
        assert_int_equal(entry.entry.mtime_ns, good[i].ns);
    }
}

static void members_of_a_later_version_are_passed_over(void **state)
{
    (void)state;
    assert_accepted(DIR ",\"new\":[1,-2.5e9,\"x\",{\"a\":[],\"b\":{}},true,false,null]}\n");
    assert_accepted(DIR ",\"new\":{\"deep\":[[[[[1]]]]]}}\n");
    assert_refused(DIR ",\"new\":[[[[[[[[[1]]]]]]]]]}\n");
    assert_refused(DIR ",\"new\":[}\n");
    assert_refused(DIR ",\"new\":{\"a\"}}\n");
    assert_refused(DIR ",\"new\":}\n");
    assert_refused(DIR ",\"new\":\"}\n");
}

/* Whatever is made of a sound line: it is refused, or what comes out is sound. */
static void changed_lines_are_refused_or_sound(void **state)
{
    static const char sound[] =
        "{\"path\":\"a/b\",\"type\":\"file\",\"mode\":\"0644\",\"uid\":1,\"gid\":2,\"user\":\"u\","
        "\"mtime\":\"-1.000000001\",\"link\":3,\"xattrs\":{\"user.x\":\"00ff\"},"
        "\"pairs\":{\"k\":\"v\"},\"bytes\":100,\"extents\":[[0,10],[20,30]],\"chunks\":[\"" ID
        "\"]}\n{\"part\":1,\"chunks\":[\"" ID "\"]}\n";
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    struct stay_random random = {1};
    char line[sizeof sound];
    size_t refused = 0;

    (void)state;
    assert_accepted(sound);
    for (int i = 0; i < 200000; i++) {
        size_t len = sizeof sound - 1;
        memcpy(line, sound, sizeof sound);
        for (size_t k = 0; k < 1 + stay_random_below(&random, 3); k++)
            line[stay_random_below(&random, len)] =
                "\"\\{}[],:.-0129aeu/\n\0\xff"[stay_random_below(&random, 21)];
        if (stay_random_below(&random, 10) == 0)
            len = stay_random_below(&random, len);
        if (stay_manifest_decode(&entry, line, len, NULL) < 0) {
            refused++;
            continue;
        }
        assert_int_equal(strlen(entry.entry.path), entry.entry.path_len);
        assert_true(stay_manifest_content_bytes(&entry.entry) <= entry.entry.bytes);
        assert_in_range(entry.entry.type, BACKSTAY_FILE, BACKSTAY_SOCKET);
    }
    assert_in_range(refused, 100000, 199999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_that_lead_out_of_the_target_are_refused),
        cmocka_unit_test(only_a_folder_can_be_the_root),
        cmocka_unit_test(a_path_of_absurd_length_is_refused),
        cmocka_unit_test(what_is_missing_is_missed),
        cmocka_unit_test(content_belongs_to_files_alone),
        cmocka_unit_test(extents_lie_in_their_order_inside_of_the_file),
        cmocka_unit_test(parts_come_in_their_order_and_nothing_between),
        cmocka_unit_test(chunk_ids_are_64_digits_each),
        cmocka_unit_test(numbers_and_modes_are_what_they_must_be),
        cmocka_unit_test(times_have_nine_digits_behind_the_point),
        cmocka_unit_test(members_of_a_later_version_are_passed_over),
        cmocka_unit_test(changed_lines_are_refused_or_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
