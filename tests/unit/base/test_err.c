/* tests/unit/base/test_err.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * err: kinds, texts, prefixes, and what happens to a text that is too long.
 */
#include "base/err.h"

#include "support/cmocka.h"

#include <errno.h>
#include <string.h>

static void a_failure_carries_its_kind_and_text(void **state)
{
    struct stay_err err = {.origin = STAY_ORIGIN_SOURCE};

    (void)state;
    assert_int_equal(stay_fail(&err, STAY_ERR_CONFIG, "line %d", 7), -1);
    assert_error(err, STAY_ERR_CONFIG, "line 7");
    assert_int_equal(err.origin, STAY_ORIGIN_SELF);
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(stay_fail(NULL, STAY_ERR_IO, "x"), -1);
    assert_int_equal(stay_fail_errno(NULL, STAY_ERR_IO, "x"), -1);
    assert_int_equal(stay_prefix(NULL, "x"), -1);
}

static void the_text_of_errno_is_appended_and_errno_kept(void **state)
{
    struct stay_err err = {0};

    (void)state;
    errno = ENOENT;
    assert_int_equal(stay_fail_errno(&err, STAY_ERR_IO, "open %s", "/x"), -1);
    assert_error(err, STAY_ERR_IO, "open /x: No such file or directory");
    assert_int_equal(errno, ENOENT);
}

static void errno_decides_between_space_rights_and_the_rest(void **state)
{
    static const struct {
        int code;
        enum stay_kind kind;
    } rows[] = {{ENOSPC, STAY_ERR_SPACE}, {EDQUOT, STAY_ERR_SPACE}, {EFBIG, STAY_ERR_SPACE},
                {EACCES, STAY_ERR_AUTH},  {EPERM, STAY_ERR_AUTH},   {EIO, STAY_ERR_IO}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stay_err err = {0};
        errno = rows[i].code;
        assert_int_equal(stay_fail_errno(&err, STAY_ERR_IO, "write"), -1);
        assert_int_equal(err.kind, rows[i].kind);
        errno = rows[i].code;
        assert_int_equal(stay_fail_errno(&err, STAY_ERR_CONFIG, "write"), -1);
        assert_int_equal(err.kind, STAY_ERR_CONFIG);
    }
}

static void a_prefix_goes_before_what_is_there(void **state)
{
    struct stay_err err = {0};

    (void)state;
    (void)stay_fail(&err, STAY_ERR_CORRUPT, "bad byte");
    assert_int_equal(stay_prefix(&err, "read %s", "pack"), -1);
    assert_int_equal(stay_prefix(&err, "restore"), -1);
    assert_error(err, STAY_ERR_CORRUPT, "restore: read pack: bad byte");
}

static void a_text_that_is_too_long_ends_in_dots(void **state)
{
    char longer[3000];
    struct stay_err err = {0};

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    (void)stay_fail(&err, STAY_ERR_IO, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + sizeof err.text - 5, "x...");
    errno = EIO;
    (void)stay_fail_errno(&err, STAY_ERR_IO, "%s", longer);
    assert_string_equal(err.text + sizeof err.text - 5, "x...");
    (void)stay_prefix(&err, "%s", longer);
    assert_string_equal(err.text + sizeof err.text - 5, "x...");
    (void)stay_fail(&err, STAY_ERR_IO, "%.*s", (int)sizeof err.text - 1, longer);
    assert_string_equal(err.text + sizeof err.text - 5, "xxxx");
    (void)stay_prefix(&err, "p");
    assert_memory_equal(err.text, "p: xxx", 6);
    assert_string_equal(err.text + sizeof err.text - 5, "x...");
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < STAY_ERR_KINDS; kind++)
        assert_string_not_equal(stay_kind_name((enum stay_kind)kind), "unknown");
    assert_string_equal(stay_kind_name(STAY_ERR_SPACE), "space");
    assert_string_equal(stay_kind_name(STAY_ERR_KINDS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_carries_its_kind_and_text),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(the_text_of_errno_is_appended_and_errno_kept),
        cmocka_unit_test(errno_decides_between_space_rights_and_the_rest),
        cmocka_unit_test(a_prefix_goes_before_what_is_there),
        cmocka_unit_test(a_text_that_is_too_long_ends_in_dots),
        cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
