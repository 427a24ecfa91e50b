/* tests/unit/plugin/test_host.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * host: settings become values of the declared types or a message that shows where they stand.
 */
#include "plugin/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME, ENABLED, DEPTH, LIMIT, MAX_AGE, MIN_FREE, EXCLUDE, FOLDER, PASSWORD, TAGS, N_OPTIONS };

#define ROW(index, type_, flags_, name_, default_, help_)                                          \
    [index] = &(const struct backstay_option)                                                      \
    {                                                                                              \
        .size = sizeof(struct backstay_option), .type = BACKSTAY_OPTION_##type_,                   \
        .flags = (flags_), .name = (name_), .default_text = (default_), .help = (help_)            \
    }

static const struct backstay_option *const options[N_OPTIONS] = {
    ROW(NAME, STRING, BACKSTAY_OPTION_REQUIRED, "name", NULL, "What it is called"),
    ROW(ENABLED, BOOL, 0, "enabled", "true", "Whether it works"),
    ROW(DEPTH, INT, 0, "depth", NULL, "How deep it goes"),
    ROW(LIMIT, SIZE, 0, "limit", "16MiB", "How large it gets"),
    ROW(MAX_AGE, DURATION, 0, "max_age", NULL, "How old it gets"),
    ROW(MIN_FREE, SPACE, 0, "min_free", NULL, "What stays free"),
    ROW(EXCLUDE, LIST, 0, "exclude", "lost+found", "What stays out"),
    ROW(FOLDER, PATH, 0, "folder", NULL, "Where it is"),
    ROW(PASSWORD, STRING, BACKSTAY_OPTION_SECRET, "password", NULL, "What opens it"),
    ROW(TAGS, LIST, 0, "tags", "[]", "What it is known as"),
};

static const struct backstay_plugin plugin = {
    .size = sizeof plugin,
    .abi = BACKSTAY_ABI,
    .kind = BACKSTAY_SOURCE,
    .n_options = N_OPTIONS,
    .name = "sample",
    .options = options,
};

static const struct stay_setting section = {
    .name = "shop", .file = "b.yaml", .line = 3, .column = 5};

static struct stay_host_env sample_env(void)
{
    return (struct stay_host_env){
        .name = "shop", .base_folder = "/etc/backstay", .jobs = 2, .section = &section};
}

static struct stay_setting setting(const char *name, const char *text)
{
    return (struct stay_setting){
        .name = name, .text = text, .file = "b.yaml", .line = 7, .column = 9};
}

/* A host from one setting besides the required name. */
static int host_with(struct stay_host **out, const char *name, const char *text,
                     struct stay_err *err)
{
    const struct stay_setting settings[] = {setting("name", "a name"), setting(name, text)};
    const struct stay_host_env env = sample_env();

    return stay_host_new(out, &plugin, settings, STAY_COUNT(settings), &env, err);
}

static void assert_refused(const char *name, const char *text, const char *message)
{
    struct stay_host *host = NULL;
    struct stay_err err = {0};

    assert_int_equal(host_with(&host, name, text, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    assert_null(host);
}

static const struct backstay_value *value_of(const struct stay_host *host, int index)
{
    return stay_host_abi(host)->values[index];
}

static void defaults_are_converted_like_given_values(void **state)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    const struct stay_setting name = setting("name", "x");
    const struct stay_host_env env = sample_env();

    (void)state;
    assert_int_equal(stay_host_new(&host, &plugin, &name, 1, &env, NULL), 0);
    assert_int_equal(stay_host_abi(host)->n_values, N_OPTIONS);
    assert_int_equal(value_of(host, ENABLED)->number, 1);
    assert_int_equal(value_of(host, LIMIT)->number, 16 << 20);
    assert_int_equal(value_of(host, EXCLUDE)->n_items, 1);
    assert_string_equal(value_of(host, EXCLUDE)->items[0], "lost+found");
    assert_int_equal(value_of(host, TAGS)->set, 1);
    assert_int_equal(value_of(host, TAGS)->n_items, 0);
    assert_int_equal(value_of(host, DEPTH)->set, 0);
    assert_int_equal(value_of(host, DEPTH)->size, sizeof(struct backstay_value));
    assert_null(value_of(host, PASSWORD)->text);
}

static void assert_number(const char *name, int index, const char *text, int64_t number,
                          unsigned percent)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    struct stay_err err = {0};

    if (host_with(&host, name, text, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(value_of(host, index)->number, number);
    assert_int_equal(value_of(host, index)->percent, percent);
    assert_string_equal(value_of(host, index)->text, text);
}

static void each_type_is_converted(void **state)
{
    (void)state;
    assert_number("enabled", ENABLED, "false", 0, 0);
    assert_number("depth", DEPTH, "-12", -12, 0);
    assert_number("limit", LIMIT, "3GiB", INT64_C(3) << 30, 0);
    assert_number("max_age", MAX_AGE, "1h30m", 5400 * STAY_NS_PER_S, 0);
    assert_number("min_free", MIN_FREE, "10GiB", INT64_C(10) << 30, 0);
    assert_number("min_free", MIN_FREE, "15%", 15, 1);
    assert_number("min_free", MIN_FREE, "0%", 0, 1);
}

static void a_relative_path_is_relative_to_the_base_folder(void **state)
{
    stay_auto(stay_host_free) struct stay_host *relative = NULL;
    stay_auto(stay_host_free) struct stay_host *absolute = NULL;

    (void)state;
    assert_int_equal(host_with(&relative, "folder", "media/x", NULL), 0);
    assert_string_equal(value_of(relative, FOLDER)->text, "/etc/backstay/media/x");
    assert_int_equal(host_with(&absolute, "folder", "/srv", NULL), 0);
    assert_string_equal(value_of(absolute, FOLDER)->text, "/srv");
}

static void a_list_keeps_its_items(void **state)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    static const char *const items[] = {"*.tmp", "cache/", ""};
    struct stay_setting settings[] = {setting("name", "x"), setting("exclude", NULL)};
    const struct stay_host_env env = sample_env();

    (void)state;
    settings[1].items = items;
    settings[1].n_items = 3;
    assert_int_equal(stay_host_new(&host, &plugin, settings, 2, &env, NULL), 0);
    assert_int_equal(value_of(host, EXCLUDE)->n_items, 3);
    assert_string_equal(value_of(host, EXCLUDE)->items[0], "*.tmp");
    assert_string_equal(value_of(host, EXCLUDE)->items[2], "");
    assert_null(value_of(host, EXCLUDE)->text);
}

static void values_of_a_wrong_type_are_refused(void **state)
{
    (void)state;
    assert_refused("enabled", "yes",
                   "b.yaml:7:9: `enabled` of source `shop` must be true or false, not `yes`");
    assert_refused("depth", "4.5",
                   "b.yaml:7:9: `depth` of source `shop` must be a whole number, not `4.5`");
    assert_refused("limit", "16XB",
                   "b.yaml:7:9: `limit` of source `shop` must be a size like 512MiB, not `16XB`");
    assert_refused("limit", "-1",
                   "b.yaml:7:9: `limit` of source `shop` must be a size like 512MiB, not `-1`");
    assert_refused("max_age", "90",
                   "b.yaml:7:9: `max_age` of source `shop` must be a duration like 90s, 26h or "
                   "8d, not `90`");
    assert_refused("min_free", "101%",
                   "b.yaml:7:9: `min_free` of source `shop` must be a size like 10GiB or a share "
                   "like 15%, not `101%`");
    assert_refused("min_free", "-5%",
                   "b.yaml:7:9: `min_free` of source `shop` must be a size like 10GiB or a share "
                   "like 15%, not `-5%`");
    assert_refused("folder", "", "b.yaml:7:9: `folder` of source `shop` is empty");
}

static void a_list_where_one_value_belongs_is_refused(void **state)
{
    static const char *const items[] = {"a", "b"};
    struct stay_setting given = setting("name", NULL);
    const struct stay_host_env env = sample_env();
    struct stay_host *host = NULL;
    struct stay_err err = {0};

    (void)state;
    given.items = items;
    given.n_items = 2;
    assert_int_equal(stay_host_new(&host, &plugin, &given, 1, &env, &err), -1);
    assert_string_equal(err.text,
                        "b.yaml:7:9: `name` of source `shop` must be one value, not a list");
}

static void an_unknown_option_gets_a_suggestion(void **state)
{
    (void)state;
    assert_refused("exlude", "x",
                   "b.yaml:7:9: unknown key `exlude` in source `shop` of type sample, did you mean "
                   "`exclude`?");
    assert_refused("zzz", "x",
                   "b.yaml:7:9: unknown key `zzz` in source `shop` of type sample; `backstay "
                   "plugin show sample` lists what there is");
}

static void an_option_given_twice_is_refused(void **state)
{
    (void)state;
    assert_refused("name", "again", "b.yaml:7:9: `name` of source `shop` is given twice");
}

static void a_missing_required_option_is_named_with_its_section(void **state)
{
    const struct stay_host_env env = sample_env();
    struct stay_host *host = NULL;
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_host_new(&host, &plugin, NULL, 0, &env, &err), -1);
    assert_string_equal(err.text, "b.yaml:3:5: source `shop` of type sample has no `name`, which "
                                  "it needs: What it is called");
}

static void a_pending_value_is_judged_by_its_name_only(void **state)
{
    const struct stay_host_env env = sample_env();
    struct stay_setting settings[] = {setting("name", "x"), setting("depth", "env:DEPTH")};
    struct stay_host *host = NULL;
    struct stay_err err = {0};

    (void)state;
    settings[1].pending = true;
    assert_int_equal(stay_host_check(&plugin, settings, 2, &env, NULL), 0);
    assert_int_equal(stay_host_new(&host, &plugin, settings, 2, &env, &err), -1);
    assert_string_equal(
        err.text, "b.yaml:7:9: `depth` of source `shop` is a reference that was not resolved");
    settings[1].name = "dept";
    assert_int_equal(stay_host_check(&plugin, settings, 2, &env, &err), -1);
    assert_string_equal(err.text, "b.yaml:7:9: unknown key `dept` in source `shop` of type sample, "
                                  "did you mean `depth`?");
    assert_int_equal(stay_host_check(&plugin, settings, 1, &env, NULL), 0);
}

static void a_secret_is_redacted_in_errors(void **state)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    struct backstay_error from = {
        .size = sizeof from, .kind = BACKSTAY_ERR_AUTH, .text = "log in with hunter22 failed"};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(host_with(&host, "password", "hunter22", NULL), 0);
    assert_int_equal(stay_host_error(&err, &from), -1);
    stay_log_reset();
    assert_string_equal(err.text, "log in with *** failed");
    assert_int_equal(err.kind, STAY_ERR_AUTH);
}

static void an_error_without_kind_or_text_is_still_an_error(void **state)
{
    struct backstay_error from = {.size = sizeof from};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_host_error(&err, &from), -1);
    assert_string_equal(err.text, "failed without saying why");
    assert_int_equal(err.kind, STAY_ERR_IO);
}

static void an_error_text_without_its_end_is_cut(void **state)
{
    struct backstay_error from = {.size = sizeof from, .kind = 99};
    struct stay_err err = {0};

    (void)state;
    memset(from.text, 'x', sizeof from.text);
    assert_int_equal(stay_host_error(&err, &from), -1);
    assert_int_equal(strlen(err.text), sizeof from.text - 1);
    assert_int_equal(err.kind, STAY_ERR_IO);
}

static void fail_respects_the_size_that_the_plugin_knows(void **state)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    struct backstay_error err = {.size = offsetof(struct backstay_error, text) + 8};

    (void)state;
    assert_int_equal(host_with(&host, "depth", "1", NULL), 0);
    const struct backstay_host *abi = stay_host_abi(host);
    memset(err.text, '#', sizeof err.text);
    assert_int_equal((abi->fail)(abi, &err, BACKSTAY_ERR_SPACE, "%s", "0123456789"), -1);
    assert_string_equal(err.text, "0123...");
    assert_int_equal(err.kind, BACKSTAY_ERR_SPACE);
    assert_int_equal(err.text[8], '#');
}

static void the_log_of_a_plugin_carries_its_name(void **state)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    stay_auto_free char *said = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(host_with(&host, "depth", "1", NULL), 0);
    const struct backstay_host *abi = stay_host_abi(host);
    FILE *log = open_memstream(&said, &len);
    stay_log_setup(log, STAY_LOG_TEXT, STAY_LOG_NOTE);
    abi->log(abi, BACKSTAY_LOG_NOTE, "saw %d files", 3);
    abi->log(abi, BACKSTAY_LOG_INFO, "not shown");
    abi->log(abi, 77, "not shown either");
    stay_log_reset();
    (void)fclose(log);
    assert_string_equal(said, "shop: saw 3 files\n");
}

static void cancellation_reaches_the_plugin(void **state)
{
    stay_auto(stay_host_free) struct stay_host *host = NULL;
    const struct stay_setting name = setting("name", "x");
    struct stay_host_env env = sample_env();
    struct stay_cancel cancel = {0};

    (void)state;
    env.cancel = &cancel;
    assert_int_equal(stay_host_new(&host, &plugin, &name, 1, &env, NULL), 0);
    const struct backstay_host *abi = stay_host_abi(host);
    assert_int_equal(abi->cancelled(abi), 0);
    stay_cancel_request(&cancel, 15);
    assert_int_equal(abi->cancelled(abi), 1);
}

static void the_scratch_folder_lives_as_long_as_the_host(void **state)
{
    const struct stay_setting name = setting("name", "x");
    struct stay_host_env env = sample_env();
    struct stay_host *host = NULL;
    char *parent = NULL;
    struct stat st;

    (void)state;
    assert_int_equal(stay_fs_make_scratch(&parent, "/tmp/backstay-host-", NULL), 0);
    stay_auto_str char *deeper = stay_strf("%s/a/b", parent);
    env.scratch_parent = deeper;
    assert_int_equal(stay_host_new(&host, &plugin, &name, 1, &env, NULL), 0);
    stay_auto_str char *folder = stay_strdup(stay_host_abi(host)->scratch_dir);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    stay_host_free(host);
    assert_false(stay_fs_exists(folder));
    assert_int_equal(stay_fs_remove_tree(parent, NULL), 0);
    free(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_converted_like_given_values),
        cmocka_unit_test(each_type_is_converted),
        cmocka_unit_test(a_relative_path_is_relative_to_the_base_folder),
        cmocka_unit_test(a_list_keeps_its_items),
        cmocka_unit_test(values_of_a_wrong_type_are_refused),
        cmocka_unit_test(a_list_where_one_value_belongs_is_refused),
        cmocka_unit_test(an_unknown_option_gets_a_suggestion),
        cmocka_unit_test(an_option_given_twice_is_refused),
        cmocka_unit_test(a_missing_required_option_is_named_with_its_section),
        cmocka_unit_test(a_pending_value_is_judged_by_its_name_only),
        cmocka_unit_test(a_secret_is_redacted_in_errors),
        cmocka_unit_test(an_error_without_kind_or_text_is_still_an_error),
        cmocka_unit_test(an_error_text_without_its_end_is_cut),
        cmocka_unit_test(fail_respects_the_size_that_the_plugin_knows),
        cmocka_unit_test(the_log_of_a_plugin_carries_its_name),
        cmocka_unit_test(cancellation_reaches_the_plugin),
        cmocka_unit_test(the_scratch_folder_lives_as_long_as_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
