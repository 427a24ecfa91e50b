/* tests/unit/base/test_window.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/window.h"

#include "base/fs.h"
#include "support/cmocka.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 96 * 1024 * 1024, PAGE = 4096 };

/* The process's resident bytes that are mapped from files. */
static size_t resident_file_bytes(void)
{
    stay_auto_buf struct stay_buf status = {0};
    struct stay_err err = {0};

    assert_ok(stay_fs_read(&status, "/proc/self/status", 1 << 16, &err), err);
    const char *line = strstr(status.data, "RssFile:");
    assert_non_null(line);
    return strtoul(line + 8, NULL, 10) * 1024;
}

static void open_window(struct stay_window *window)
{
    stay_auto_fd int fd = -1;
    struct stay_err err = {0};

    assert_ok(stay_fs_unnamed(&fd, "/var/tmp", &err), err);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    assert_int_equal(stay_window_open(window, fd, BYTES, PROT_READ | PROT_WRITE), 0);
}

static void what_was_written_stays_when_pages_are_given_back(void **state)
{
    struct stay_window window = {0};

    (void)state;
    open_window(&window);
    unsigned char *bytes = window.data;
    for (size_t at = 0; at < BYTES; at += PAGE) {
        bytes[at] = (unsigned char)(at / PAGE);
        stay_window_touch(&window, PAGE);
    }
    for (size_t at = 0; at < BYTES; at += PAGE)
        assert_int_equal(bytes[at], (unsigned char)(at / PAGE));
    stay_window_close(&window);
}

static void only_a_part_of_a_large_file_stays_resident(void **state)
{
    struct stay_window window = {0};
    size_t most = 0;

    (void)state;
    open_window(&window);
    const unsigned char *bytes = window.data;
    size_t before = resident_file_bytes();
    unsigned sum = 0;
    for (size_t at = 0; at < BYTES; at += PAGE) {
        sum += bytes[at];
        stay_window_touch(&window, PAGE);
        if (at % (1 << 20) == 0)
            most = STAY_MAX(most, resident_file_bytes());
    }
    assert_int_equal(sum, 0);
    assert_true(most < before + ((size_t)40 << 20));
    stay_window_close(&window);
}

static void closing_what_was_never_opened_has_no_effect(void **state)
{
    struct stay_window window = {0};

    (void)state;
    stay_window_touch(&window, (size_t)1 << 30);
    stay_window_close(&window);
    assert_null(window.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_stays_when_pages_are_given_back),
        cmocka_unit_test(only_a_part_of_a_large_file_stays_resident),
        cmocka_unit_test(closing_what_was_never_opened_has_no_effect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
