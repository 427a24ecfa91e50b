/* tests/unit/base/test_alloc.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * alloc: sizes of zero, overflow, and cleanup at the end of a scope.
 */
#include "base/alloc.h"

#include "support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void nothing_can_be_allocated_and_freed(void **state)
{
    stay_auto_free void *none = stay_calloc(0, 16);
    stay_auto_free void *also_none = stay_malloc(0);
    stay_auto_free char *empty = stay_memdup(NULL, 0);

    (void)state;
    assert_non_null(none);
    assert_non_null(also_none);
    assert_string_equal(empty, "");
}

static void copies_end_in_a_nul(void **state)
{
    stay_auto_str char *part = stay_memdup("abcdef", 3);
    stay_auto_str char *text = stay_strdup("shop");
    stay_auto_str char *printed = stay_strf("%s-%d", text, 42);

    (void)state;
    assert_string_equal(part, "abc");
    assert_string_equal(text, "shop");
    assert_string_equal(printed, "shop-42");
}

static void a_size_that_overflows_aborts(void **state)
{
    int status = 0;
    volatile size_t many = SIZE_MAX / 4;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDERR_FILENO);
        free(stay_realloc(NULL, many, 8));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void what_was_stolen_is_not_cleaned_up(void **state)
{
    char *kept = NULL;

    (void)state;
    {
        stay_auto_str char *text = stay_strdup("kept");
        kept = stay_steal(&text);
        assert_null(text);
    }
    assert_string_equal(kept, "kept");
    free(kept);
}

static void a_descriptor_is_closed_at_the_end_of_its_scope(void **state)
{
    int number;
    int stolen;

    (void)state;
    {
        stay_auto_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        stay_auto_fd int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0 && other >= 0);
        number = fd;
        stolen = stay_steal_fd(&other);
        assert_int_equal(other, -1);
        errno = EXDEV;
    }
    assert_int_equal(errno, EXDEV);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    assert_int_equal(errno, EBADF);
    assert_int_not_equal(fcntl(stolen, F_GETFD), -1);
    assert_int_equal(close(stolen), 0);
}

static void wiping_leaves_zeros(void **state)
{
    char key[32];
    static const char zeros[32];

    (void)state;
    memset(key, 'k', sizeof key);
    stay_wipe(key, sizeof key);
    assert_memory_equal(key, zeros, sizeof key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_allocated_and_freed),
        cmocka_unit_test(copies_end_in_a_nul),
        cmocka_unit_test(a_size_that_overflows_aborts),
        cmocka_unit_test(what_was_stolen_is_not_cleaned_up),
        cmocka_unit_test(a_descriptor_is_closed_at_the_end_of_its_scope),
        cmocka_unit_test(wiping_leaves_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
