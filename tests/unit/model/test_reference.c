/* tests/unit/model/test_reference.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * reference: where values come from, and what is said when they do not come.
 */
#include "model/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char *folder;
    struct stay_cancel cancel;
    struct stay_resolver resolver;
};

static const char *get(void *ctx, const char *name)
{
    const struct place *place = ctx;

    if (strcmp(name, "URL") == 0)
        return "postgres://u:p@h/d";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    if (strcmp(name, "CREDENTIALS_DIRECTORY") == 0)
        return place->folder;
    return NULL;
}

static int set_up(void **state)
{
    struct place *place = stay_new(struct place);

    if (stay_fs_make_scratch(&place->folder, "/tmp/backstay-reference-", NULL) < 0)
        return -1;
    place->resolver = (struct stay_resolver){
        .get = get,
        .ctx = place,
        .base_folder = place->folder,
        .cancel = &place->cancel,
    };
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    int outcome = stay_fs_remove_tree(place->folder, NULL);

    free(place->folder);
    free(place);
    return outcome;
}

static void write_file(const struct place *place, const char *name, const void *data, size_t len)
{
    stay_auto_str char *path = stay_strf("%s/%s", place->folder, name);

    assert_int_equal(stay_fs_write_atomic(path, data, len, 0600, NULL), 0);
}

static void assert_value(const struct place *place, const char *reference, const char *value)
{
    stay_auto_str char *got = NULL;
    struct stay_err err = {0};

    if (stay_reference_resolve(&got, reference, &place->resolver, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(got, value);
}

static void assert_failure(const struct place *place, const char *reference, const char *message)
{
    struct stay_err err = {0};
    char *got = NULL;

    assert_int_equal(stay_reference_resolve(&got, reference, &place->resolver, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    assert_null(got);
}

static void other_text_stays_as_it_is(void **state)
{
    assert_value(*state, "plain", "plain");
    assert_value(*state, "", "");
    assert_value(*state, "$URL ${URL} ENV:URL", "$URL ${URL} ENV:URL");
    assert_value(*state, "see env:URL", "see env:URL");
    assert_value(*state, "https://x", "https://x");
}

static void the_environment_gives_its_variables(void **state)
{
    assert_value(*state, "env:URL", "postgres://u:p@h/d");
    assert_value(*state, "env:EMPTY", "");
    assert_failure(*state, "env:NONE", "resolve `env:NONE`: it is not set in the environment");
    assert_failure(*state, "env:", "`env:` says nothing after its colon");
}

static void a_file_gives_its_content_without_one_newline(void **state)
{
    const struct place *place = *state;
    stay_auto_str char *absolute = stay_strf("file:%s/two", place->folder);

    write_file(place, "plain", "secret", 6);
    write_file(place, "one", "secret\n", 7);
    write_file(place, "two", "secret\n\n", 8);
    write_file(place, "dos", "secret\r\n", 8);
    write_file(place, "empty", "", 0);
    assert_value(place, "file:plain", "secret");
    assert_value(place, "file:one", "secret");
    assert_value(place, absolute, "secret\n");
    assert_value(place, "file:dos", "secret");
    assert_value(place, "file:empty", "");
}

static void a_file_that_cannot_be_a_value_is_refused(void **state)
{
    const struct place *place = *state;
    stay_auto_str char *missing =
        stay_strf("resolve `file:none`: open %s/none: No such file or directory", place->folder);
    stay_auto_str char *long_message =
        stay_strf("resolve `file:long`: %s/long is larger than 65536 bytes", place->folder);
    stay_auto_free char *long_text = stay_calloc(65537, 1);

    write_file(place, "binary", "a\0b", 3);
    write_file(place, "long", long_text, 65537);
    assert_failure(place, "file:none", missing);
    assert_failure(place, "file:binary", "resolve `file:binary`: what it holds is not text");
    assert_failure(place, "file:long", long_message);
}

static void a_credential_is_a_file_of_systemds_folder(void **state)
{
    struct place *place = *state;

    write_file(place, "db", "secret\n", 7);
    assert_value(place, "cred:db", "secret");
    assert_failure(place, "cred:../db", "resolve `cred:../db`: the name of a credential has no /");
}

static const char *get_nothing(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static void a_credential_outside_of_systemd_says_what_to_do(void **state)
{
    struct place *place = *state;

    place->resolver.get = get_nothing;
    assert_failure(place, "cred:db",
                   "resolve `cred:db`: $CREDENTIALS_DIRECTORY is not set: run as a systemd service "
                   "with LoadCredential=db:PATH, or use file:PATH");
}

static void a_command_gives_its_output(void **state)
{
    assert_value(*state, "exec:echo secret", "secret");
    assert_value(*state, "exec:printf 'a\\nb'; echo warning >&2", "a\nb");
    assert_value(*state, "exec:true", "");
    assert_value(*state, "exec:cat", "");
}

static void a_command_that_fails_is_quoted(void **state)
{
    assert_failure(*state, "exec:echo x; echo first >&2; echo 'no such entry' >&2; exit 3",
                   "resolve `exec:echo x; echo first >&2; echo 'no such entry' >&2; exit 3`: it "
                   "exited with 3: no such entry");
    assert_failure(*state, "exec:exit 1",
                   "resolve `exec:exit 1`: it exited with 1: it wrote nothing to stderr");
    assert_failure(*state, "exec:kill -9 $$",
                   "resolve `exec:kill -9 $$`: it was ended by signal 9: it wrote nothing to "
                   "stderr");
    assert_failure(*state, "exec:head -c 65537 /dev/zero",
                   "resolve `exec:head -c 65537 /dev/zero`: it wrote more than 65536 bytes");
    assert_failure(*state, "exec:printf 'a\\000b'",
                   "resolve `exec:printf 'a\\000b'`: what it holds is not text");
}

static void a_command_that_hangs_is_ended_with_its_children(void **state)
{
    struct place *place = *state;
    stay_auto_str char *reference =
        stay_strf("exec:sleep 97 & echo $! >%s/pid; wait", place->folder);
    stay_auto_str char *message = stay_strf("resolve `%s`: it took longer than 0.3 s", reference);
    stay_auto_str char *path = stay_strf("%s/pid", place->folder);
    stay_auto_buf struct stay_buf pid = {0};
    stay_auto_buf struct stay_buf status = {0};

    place->resolver.exec_limit_ns = 300 * STAY_NS_PER_MS;
    assert_failure(place, reference, message);
    assert_int_equal(stay_fs_read(&pid, path, 100, NULL), 0);
    pid.data[strcspn(pid.data, "\n")] = '\0';
    /* An orphan that was killed is gone, or is a zombie until init looks at it. */
    stay_auto_str char *proc = stay_strf("/proc/%s/stat", pid.data);
    for (int i = 0; i < 100 && stay_fs_exists(proc); i++) {
        stay_buf_clear(&status);
        if (stay_fs_read(&status, proc, 4096, NULL) < 0 || strstr(status.data, ") Z "))
            return;
        (void)usleep(10000);
    }
    assert_false(stay_fs_exists(proc));
}

static void a_command_that_closes_its_output_and_goes_on_is_ended_too(void **state)
{
    struct place *place = *state;

    place->resolver.exec_limit_ns = 200 * STAY_NS_PER_MS;
    assert_failure(place, "exec:exec >&- 2>&-; sleep 97",
                   "resolve `exec:exec >&- 2>&-; sleep 97`: it took longer than 0.2 s");
}

static void cancelling_ends_a_command(void **state)
{
    struct place *place = *state;
    struct stay_err err = {0};
    char *got = NULL;

    stay_cancel_request(&place->cancel, 15);
    assert_int_equal(stay_reference_resolve(&got, "exec:sleep 97", &place->resolver, &err), -1);
    assert_int_equal(err.kind, STAY_ERR_CANCELLED);
}

static void settings_are_resolved_value_by_value(void **state)
{
    const struct place *place = *state;
    static const char *const items[] = {"a", "env:URL"};
    const struct stay_setting from[] = {
        {.name = "url", .text = "env:URL", .file = "b.yaml", .line = 3, .column = 7},
        {.name = "list", .items = items, .n_items = 2, .file = "b.yaml", .line = 4, .column = 8},
    };
    stay_auto_settings struct stay_settings settings = {0};
    struct stay_err err = {0};

    assert_int_equal(stay_settings_resolve(&settings, from, 2, &place->resolver, &err), 0);
    assert_int_equal(settings.n, 2);
    assert_string_equal(settings.items[0].name, "url");
    assert_string_equal(settings.items[0].text, "postgres://u:p@h/d");
    assert_int_equal(settings.items[0].line, 3);
    assert_null(settings.items[1].text);
    assert_int_equal(settings.items[1].n_items, 2);
    assert_string_equal(settings.items[1].items[0], "a");
    assert_string_equal(settings.items[1].items[1], "postgres://u:p@h/d");
}

static void a_setting_that_cannot_be_resolved_is_shown_with_its_place(void **state)
{
    const struct place *place = *state;
    static const char *const items[] = {"a", "env:NONE", "b"};
    const struct stay_setting from[] = {
        {.name = "url", .text = "env:URL", .file = "b.yaml", .line = 3, .column = 7},
        {.name = "list", .items = items, .n_items = 3, .file = "b.yaml", .line = 4, .column = 8},
    };
    struct stay_settings settings = {0};
    struct stay_err err = {0};

    assert_int_equal(stay_settings_resolve(&settings, from, 2, &place->resolver, &err), -1);
    assert_string_equal(err.text, "b.yaml:4:8: `list`: resolve `env:NONE`: it is not set in the "
                                  "environment");
    assert_null(settings.items);
}

static void deferred_settings_are_marked_where_they_hold_a_reference(void **state)
{
    static const char *const items[] = {"a", "env:URL"};
    const struct stay_setting from[] = {
        {.name = "url", .text = "env:URL"},
        {.name = "list", .items = items, .n_items = 2},
        {.name = "plain", .text = "x"},
        {.name = "plain_list", .items = items, .n_items = 1},
    };
    stay_auto_settings struct stay_settings settings = {0};

    (void)state;
    stay_settings_defer(&settings, from, 4);
    assert_true(settings.items[0].pending);
    assert_string_equal(settings.items[0].text, "env:URL");
    assert_true(settings.items[1].pending);
    assert_string_equal(settings.items[1].items[1], "env:URL");
    assert_false(settings.items[2].pending);
    assert_false(settings.items[3].pending);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(other_text_stays_as_it_is),
        IN_A_FOLDER(the_environment_gives_its_variables),
        IN_A_FOLDER(a_file_gives_its_content_without_one_newline),
        IN_A_FOLDER(a_file_that_cannot_be_a_value_is_refused),
        IN_A_FOLDER(a_credential_is_a_file_of_systemds_folder),
        IN_A_FOLDER(a_credential_outside_of_systemd_says_what_to_do),
        IN_A_FOLDER(a_command_gives_its_output),
        IN_A_FOLDER(a_command_that_fails_is_quoted),
        IN_A_FOLDER(a_command_that_hangs_is_ended_with_its_children),
        IN_A_FOLDER(a_command_that_closes_its_output_and_goes_on_is_ended_too),
        IN_A_FOLDER(cancelling_ends_a_command),
        IN_A_FOLDER(settings_are_resolved_value_by_value),
        IN_A_FOLDER(a_setting_that_cannot_be_resolved_is_shown_with_its_place),
        cmocka_unit_test(deferred_settings_are_marked_where_they_hold_a_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
