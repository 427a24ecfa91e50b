/* tests/unit/plugin/test_loader.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * loader: takes what is whole and trusted, and says why it refuses the rest.
 */
#include "plugin/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test gets a folder of its own, so that it can spoil modes and owners. */
static int make_folder(void **state)
{
    char *folder = NULL;

    if (stay_fs_make_scratch(&folder, "/tmp/backstay-loader-", NULL) < 0)
        return -1;
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    int outcome = stay_fs_remove_tree(*state, NULL);

    free(*state);
    return outcome;
}

/* Copies the built plugin @from into the folder of the test as @to. */
static char *install_as(const char *folder, const char *from, const char *to)
{
    stay_auto_buf struct stay_buf content = {0};
    stay_auto_str char *built = stay_strf("%s/source-%s.so", BUILT_PLUGINS, from);
    char *path = stay_strf("%s/%s", folder, to);
    struct stay_err err = {0};

    if (stay_fs_read(&content, built, (size_t)64 << 20, &err) < 0 ||
        stay_fs_write_atomic(path, content.data, content.len, 0644, &err) < 0)
        fail_msg("%s", err.text);
    return path;
}

static char *install(const char *folder, const char *name)
{
    stay_auto_str char *file = stay_strf("source-%s.so", name);

    return install_as(folder, name, file);
}

/* The same where nobody asks for the path. */
static void just_install(const char *folder, const char *name)
{
    free(install(folder, name));
}

/* Loads the source @name of @folder, which must be refused with @message. */
static void assert_refused(const char *folder, const char *name, const char *message)
{
    stay_auto(stay_loader_free) struct stay_loader *loader = stay_loader_new(folder);
    const struct backstay_plugin *plugin = NULL;
    struct stay_err err = {0};

    assert_int_equal(stay_loader_get(loader, BACKSTAY_SOURCE, name, &plugin, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    assert_null(plugin);
}

static void assert_built_refused(void **state, const char *name, const char *reason)
{
    stay_auto_str char *path = install(*state, name);
    stay_auto_str char *message = stay_strf("plugin %s%s", path, reason);

    assert_refused(*state, name, message);
}

static void a_whole_plugin_is_loaded_once(void **state)
{
    stay_auto(stay_loader_free) struct stay_loader *loader = stay_loader_new(*state);
    const struct backstay_plugin *first = NULL;
    const struct backstay_plugin *second = NULL;
    struct stay_err err = {0};

    just_install(*state, "good");
    assert_int_equal(stay_loader_get(loader, BACKSTAY_SOURCE, "good", &first, &err), 0);
    assert_string_equal(first->name, "good");
    assert_int_equal(stay_loader_get(loader, BACKSTAY_SOURCE, "good", &second, &err), 0);
    assert_ptr_equal(first, second);
    assert_string_equal(stay_loader_folder(loader), *state);
}

static void another_abi_is_refused(void **state)
{
    assert_built_refused(state, "other_abi",
                         " was built for plugin ABI 2, and this version speaks ABI 1: build or "
                         "install the plugin for this version");
}

static void a_description_too_small_for_its_abi_is_refused(void **state)
{
    assert_built_refused(state, "tiny", ": its description is 4 bytes, too small to hold its ABI");
}

static void a_description_without_its_last_members_is_refused(void **state)
{
    assert_built_refused(state, "small",
                         ": its description is 40 bytes, ABI 1 asks for at least 64");
}

static void a_file_without_the_symbol_is_refused(void **state)
{
    assert_built_refused(state, "no_symbol",
                         " has no function backstay_plugin: it is not a plugin of Backstay");
}

static void a_function_that_returns_nothing_is_refused(void **state)
{
    assert_built_refused(state, "nothing", ": its function backstay_plugin returned nothing");
}

static void a_name_that_another_file_has_is_refused(void **state)
{
    assert_built_refused(state, "twin",
                         " calls itself `good`, a name that is taken by source-good.so");
}

static void a_destination_in_a_source_file_is_refused(void **state)
{
    assert_built_refused(state, "other_kind",
                         " is named like a source but is of kind 2: its file name must be "
                         "KIND-NAME.so");
}

static void a_plugin_that_cannot_be_opened_is_refused(void **state)
{
    assert_built_refused(state, "no_open", ": it offers no function to open a source");
}

static void an_option_of_an_unknown_type_is_refused(void **state)
{
    assert_built_refused(state, "new_option",
                         ": option `colour` has type 99, which this version does not know; the "
                         "plugin may need a newer Backstay");
}

static void an_option_row_that_is_too_small_is_refused(void **state)
{
    assert_built_refused(state, "small_option",
                         ": row 0 of its option table is smaller than ABI 1 asks for");
}

static void a_file_that_is_no_shared_object_is_refused(void **state)
{
    stay_auto_str char *path = stay_strf("%s/source-text.so", (char *)*state);
    stay_auto_str char *message = stay_strf("load plugin %s: %s: file too short", path, path);

    assert_int_equal(stay_fs_write_atomic(path, "text", 4, 0644, NULL), 0);
    assert_refused(*state, "text", message);
}

static void a_folder_that_others_can_write_is_refused(void **state)
{
    stay_auto_str char *message = stay_strf(
        "plugin folder %s can be written by others than its owner (mode 0777): run chmod go-w on "
        "it",
        (char *)*state);

    just_install(*state, "good");
    assert_int_equal(chmod(*state, 0777), 0);
    assert_refused(*state, "good", message);
}

static void a_file_that_the_group_can_write_is_refused(void **state)
{
    stay_auto_str char *path = install(*state, "good");
    stay_auto_str char *message = stay_strf(
        "plugin %s can be written by others than its owner (mode 0664): run chmod go-w on it",
        path);

    assert_int_equal(chmod(path, 0664), 0);
    assert_refused(*state, "good", message);
}

static void a_file_of_another_user_is_refused(void **state)
{
    stay_auto_str char *path = install(*state, "good");

    if (geteuid() != 0) {
        print_message("only root can give a file away: not checked\n");
        skip();
    }
    assert_int_equal(chown(path, 1234, 1234), 0);
    stay_auto_str char *message =
        stay_strf("plugin %s belongs to uid 1234, neither to root nor to the caller (uid 0): "
                  "whoever owns it could run code as the caller; chown it to root",
                  path);
    assert_refused(*state, "good", message);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    assert_refused("/nonexistent/plugins", "media",
                   "look into plugin folder /nonexistent/plugins: No such file or directory");
}

static void a_typing_error_in_a_type_gets_a_suggestion(void **state)
{
    stay_auto_str char *message = stay_strf(
        "unknown source type `godo`, did you mean `good`? In %s there are: good", (char *)*state);

    just_install(*state, "good");
    assert_refused(*state, "godo", message);
}

static void an_unknown_type_gets_the_list_of_types(void **state)
{
    stay_auto_str char *message =
        stay_strf("unknown source type `postgres`; in %s there are: good, twin", (char *)*state);

    just_install(*state, "good");
    just_install(*state, "twin");
    assert_refused(*state, "postgres", message);
}

static void an_empty_folder_is_said_to_be_empty(void **state)
{
    stay_auto_str char *message = stay_strf(
        "no plugin for source type `media`: there are no source plugins in %s", (char *)*state);

    assert_refused(*state, "media", message);
}

static void a_type_cannot_leave_the_folder(void **state)
{
    stay_auto_str char *message =
        stay_strf("no plugin for source type `x/../../evil`: there are no source plugins in %s",
                  (char *)*state);

    assert_refused(*state, "x/../../evil", message);
}

static void listing_skips_what_is_refused(void **state)
{
    stay_auto_str char *good = install(*state, "good");
    stay_auto_str char *bad = install(*state, "other_abi");
    stay_auto(stay_loader_free) struct stay_loader *loader = stay_loader_new(*state);
    const struct stay_loaded *all = NULL;
    stay_auto_free char *said = NULL;
    size_t len = 0;
    size_t n = 0;
    FILE *log = open_memstream(&said, &len);

    stay_log_setup(log, STAY_LOG_TEXT, STAY_LOG_WARN);
    int outcome = stay_loader_all(loader, &all, &n, NULL);
    stay_log_reset();
    (void)fclose(log);
    assert_int_equal(outcome, 0);
    assert_int_equal(n, 1);
    assert_string_equal(all[0].plugin->name, "good");
    assert_string_equal(all[0].path, good);
    stay_auto_str char *message =
        stay_strf("backstay: warning: plugin %s was built for plugin ABI 2, and this version "
                  "speaks ABI 1: build or install the plugin for this version\n",
                  bad);
    assert_string_equal(said, message);
}

static void the_environment_names_the_default_folder(void **state)
{
    assert_int_equal(setenv("BACKSTAY_PLUGIN_DIR", *state, 1), 0);
    stay_auto(stay_loader_free) struct stay_loader *loader = stay_loader_new(NULL);

    (void)unsetenv("BACKSTAY_PLUGIN_DIR");
    assert_string_equal(stay_loader_folder(loader), *state);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_whole_plugin_is_loaded_once),
        IN_A_FOLDER(another_abi_is_refused),
        IN_A_FOLDER(a_description_too_small_for_its_abi_is_refused),
        IN_A_FOLDER(a_description_without_its_last_members_is_refused),
        IN_A_FOLDER(a_file_without_the_symbol_is_refused),
        IN_A_FOLDER(a_function_that_returns_nothing_is_refused),
        IN_A_FOLDER(a_name_that_another_file_has_is_refused),
        IN_A_FOLDER(a_destination_in_a_source_file_is_refused),
        IN_A_FOLDER(a_plugin_that_cannot_be_opened_is_refused),
        IN_A_FOLDER(an_option_of_an_unknown_type_is_refused),
        IN_A_FOLDER(an_option_row_that_is_too_small_is_refused),
        IN_A_FOLDER(a_file_that_is_no_shared_object_is_refused),
        IN_A_FOLDER(a_folder_that_others_can_write_is_refused),
        IN_A_FOLDER(a_file_that_the_group_can_write_is_refused),
        IN_A_FOLDER(a_file_of_another_user_is_refused),
        cmocka_unit_test(a_missing_folder_is_named),
        IN_A_FOLDER(a_typing_error_in_a_type_gets_a_suggestion),
        IN_A_FOLDER(an_unknown_type_gets_the_list_of_types),
        IN_A_FOLDER(an_empty_folder_is_said_to_be_empty),
        IN_A_FOLDER(a_type_cannot_leave_the_folder),
        IN_A_FOLDER(listing_skips_what_is_refused),
        IN_A_FOLDER(the_environment_names_the_default_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
