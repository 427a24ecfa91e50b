/* tests/unit/cli/test_program.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * program: whole runs, from the command line to output, messages and exit code.
 */
#include "cli/program.h"

#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEST "destinations:\n  disk: {type: good}\n"

/* A folder with plugins and a configuration, and what the last run said. */
struct stage {
    char *folder;
    char *plugins;
    char *output;
    char *messages;
    size_t output_len;
    size_t messages_len;
};

static const char *get(void *ctx, const char *name)
{
    const struct stage *stage = ctx;

    if (strcmp(name, "BACKSTAY_CONFIG") == 0)
        return "backstay.yaml";
    if (strcmp(name, "HOME") == 0)
        return stage->folder;
    if (strcmp(name, "SECRET") == 0)
        return "from the environment";
    return NULL;
}

static void copy_plugin(const struct stage *stage, const char *name)
{
    stay_auto_buf struct stay_buf content = {0};
    stay_auto_str char *from = stay_strf("%s/%s", BUILT_PLUGINS, name);
    stay_auto_str char *to = stay_strf("%s/%s", stage->plugins, name);
    struct stay_err err = {0};

    if (stay_fs_read(&content, from, (size_t)64 << 20, &err) < 0 ||
        stay_fs_write_atomic(to, content.data, content.len, 0644, &err) < 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    struct stage *stage = stay_new(struct stage);

    if (stay_fs_make_scratch(&stage->folder, "/tmp/backstay-program-", NULL) < 0 ||
        chdir(stage->folder) != 0)
        return -1;
    stage->plugins = stay_strf("%s/plugins", stage->folder);
    if (mkdir(stage->plugins, 0700) != 0)
        return -1;
    copy_plugin(stage, "source-good.so");
    copy_plugin(stage, "destination-good.so");
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    int outcome = chdir("/") == 0 ? stay_fs_remove_tree(stage->folder, NULL) : -1;

    free(stage->folder);
    free(stage->plugins);
    free(stage->output);
    free(stage->messages);
    free(stage);
    return outcome;
}

/* Writes the configuration; every one needs the folder of the test's plugins. */
static void configure(const char *text, mode_t mode)
{
    stay_auto_str char *whole = stay_strf("%splugin_dir: plugins\n", text);

    assert_int_equal(stay_fs_write_atomic("backstay.yaml", whole, strlen(whole), mode, NULL), 0);
}

enum { WORDS_MAX = 8 };

static int run(struct stage *stage, const char *line)
{
    static char program[] = "backstay";
    stay_auto_str char *words = stay_strdup(line);
    char *argv[WORDS_MAX + 2] = {program};
    char *rest = words;
    size_t n = 1;

    for (char *word = strsep(&rest, " "); word && n <= WORDS_MAX; word = strsep(&rest, " "))
        if (*word)
            argv[n++] = word;
    free(stage->output);
    free(stage->messages);
    const struct stay_program_world world = {
        .output = open_memstream(&stage->output, &stage->output_len),
        .messages = open_memstream(&stage->messages, &stage->messages_len),
        .get = get,
        .ctx = stage,
    };
    int code = stay_program_run(argv, &world);
    (void)fclose(world.output);
    (void)fclose(world.messages);
    return code;
}

static void assert_run(struct stage *stage, const char *line, int code, const char *output,
                       const char *messages)
{
    int got = run(stage, line);

    assert_string_equal(stage->messages, messages);
    assert_string_equal(stage->output, output);
    assert_int_equal(got, code);
}

static void a_valid_configuration_is_said_to_be_valid(void **state)
{
    configure("sources:\n  a: {type: good, colour: red}\n  b: {type: good}\n" DEST, 0600);
    assert_run(*state, "validate", 0,
               "configuration backstay.yaml is valid: 2 sources, 1 destination\n", "");
    assert_run(*state, "validate -q", 0, "", "");
    assert_run(*state, "validate --json", 0,
               "{\n  \"schema_version\": 1,\n  \"valid\": true,\n  \"file\": \"backstay.yaml\",\n"
               "  \"sources\": 2,\n  \"destinations\": 1,\n  \"problems\": []\n}\n",
               "");
}

static void validate_reports_the_mistakes_of_every_section(void **state)
{
    configure("sources:\n"
              "  a: {type: good, colur: red}\n"
              "  b: {type: bad}\n"
              "  c: {type: good, depth: deep}\n"
              "  d: {type: good, depth: env:NONE}\n" DEST,
              0600);
    struct stage *stage = *state;
    stay_auto_str char *known = stay_strf("in %s/plugins there are: good", stage->folder);
    stay_auto_str char *messages = stay_strf(
        "backstay: error: backstay.yaml:2:26: unknown key `colur` in source `a` of type good, did "
        "you mean `colour`?\n"
        "backstay: error: backstay.yaml:3:3: unknown source type `bad`; %s\n"
        "backstay: error: backstay.yaml:4:26: `depth` of source `c` must be a whole number, not "
        "`deep`\n",
        known);

    assert_run(stage, "validate", 10, "", messages);
}

static void validate_follows_references_on_demand(void **state)
{
    configure("sources:\n  a: {type: good, depth: env:NONE}\n" DEST, 0600);
    assert_run(*state, "validate", 0,
               "configuration backstay.yaml is valid: 1 source, 1 destination\n", "");
    assert_run(*state, "validate --resolve", 10, "",
               "backstay: error: backstay.yaml:2:26: `depth`: resolve `env:NONE`: it is not set in "
               "the environment\n");
    configure("sources:\n  a: {type: good, depth: env:SECRET}\n" DEST, 0600);
    assert_run(*state, "validate --resolve", 10, "",
               "backstay: error: backstay.yaml:2:26: `depth` of source `a` must be a whole number, "
               "not `from the environment`\n");
}

static void mistakes_in_the_file_are_listed(void **state)
{
    configure("app:\nkeeep: 1\n" DEST, 0600);
    assert_run(*state, "validate", 10, "",
               "backstay: error: backstay.yaml:1:5: `app` has no value\n"
               "backstay: error: backstay.yaml:2:1: unknown key `keeep`, did you mean `keep`?\n");
    assert_run(*state, "config show", 10, "",
               "backstay: error: backstay.yaml:1:5: `app` has no value\n"
               "backstay: error: backstay.yaml:2:1: unknown key `keeep`, did you mean `keep`?\n"
               "backstay: error: the configuration has 2 mistakes\n");
}

static void a_missing_configuration_is_an_error_of_configuration(void **state)
{
    assert_run(*state, "validate", 10, "",
               "backstay: error: read configuration backstay.yaml: No such file or directory\n");
    assert_run(*state, "-c other.yaml validate --json", 10,
               "{\n  \"schema_version\": 1,\n  \"error\": {\n    \"kind\": \"config\",\n"
               "    \"origin\": \"backstay\",\n"
               "    \"message\": \"read configuration other.yaml: No such file or directory\",\n"
               "    \"exit_code\": 10\n  }\n}\n",
               "backstay: error: read configuration other.yaml: No such file or directory\n");
}

static void a_secret_in_a_file_for_all_eyes_is_refused(void **state)
{
    configure("sources:\n  a: {type: good, password: hunter22}\n" DEST, 0644);
    const char *message =
        "backstay: error: backstay.yaml:2:29: `password` of source `a` is a secret, and others can "
        "read it (mode 0644): run `chmod 600 backstay.yaml`, or write env:NAME, file:PATH or "
        "cred:NAME instead\n";

    assert_run(*state, "validate", 10, "", message);
    assert_run(*state, "config show", 10, "", message);
}

static void show_masks_secrets_and_keeps_references(void **state)
{
    configure("app: \"my shop\"\n"
              "memory_limit: 1GiB\n"
              "threads: 4\n"
              "state_dir: env:HOME\n"
              "sources:\n"
              "  a: {type: good, password: hunter22, colour: \"no: yes\"}\n"
              "  b: {type: good, password: env:SECRET, pasword: hunter22}\n"
              "  c: {type: lost, colour: red, depth: [file:a, 2]}\n" DEST,
              0600);
    assert_run(*state, "config show", 0,
               "# backstay.yaml\n"
               "app: \"my shop\"\n"
               "sources:\n"
               "  a:\n    type: good\n    password: \"***\"\n    colour: \"no: yes\"\n"
               "  b:\n    type: good\n    password: env:SECRET\n    pasword: \"***\"\n"
               "  c:\n    type: lost\n    colour: \"***\"\n    depth: [file:a, \"***\"]\n"
               "destinations:\n  disk:\n    type: good\n"
               "state_dir: env:HOME\n"
               "plugin_dir: plugins\n"
               "memory_limit: 1GiB\n"
               "threads: 4\n"
               "compression: 3  # default\n",
               "");
}

static void show_speaks_json(void **state)
{
    configure("threads: 4\nstate_dir: /s\n"
              "sources:\n  a: {type: good, password: hunter22, depth: [\"1\", env:X]}\n" DEST,
              0600);
    assert_run(*state, "config show --json", 0,
               "{\n  \"schema_version\": 1,\n  \"file\": \"backstay.yaml\",\n  \"app\": null,\n"
               "  \"sources\": {\n    \"a\": {\n      \"type\": \"good\",\n"
               "      \"password\": \"***\",\n      \"depth\": [\n        \"1\",\n"
               "        \"env:X\"\n      ]\n    }\n  },\n"
               "  \"destinations\": {\n    \"disk\": {\n      \"type\": \"good\"\n    }\n  },\n"
               "  \"state_dir\": \"/s\",\n  \"plugin_dir\": \"plugins\",\n"
               "  \"memory_limit\": \"512MiB\",\n  \"threads\": \"4\",\n"
               "  \"compression\": \"3\"\n}\n",
               "");
}

static void plugins_are_listed_and_shown(void **state)
{
    struct stage *stage = *state;

    configure(DEST, 0600);
    assert_run(stage, "plugin list", 0,
               "KIND         NAME  VERSION  SUMMARY\n"
               "source       good  1.0      Does nothing\n"
               "destination  good  1.0      Does nothing\n",
               "");
    stay_auto_str char *shown =
        stay_strf("source good 1.0: Does nothing\n%s/source-good.so\n\n"
                  "OPTION    TYPE    DEFAULT  HELP\n"
                  "colour    string  green    What it looks like\n"
                  "depth     number           How deep it goes\n"
                  "password  string  secret   What opens it\n"
                  "\n"
                  "destination good 1.0: Does nothing\n%s/destination-good.so\n\n"
                  "OPTION    TYPE    DEFAULT  HELP\n"
                  "colour    string  green    What it looks like\n"
                  "depth     number           How deep it goes\n"
                  "password  string  secret   What opens it\n",
                  stage->plugins, stage->plugins);
    assert_run(stage, "plugin show good", 0, shown, "");
}

static void an_unknown_plugin_gets_a_suggestion(void **state)
{
    struct stage *stage = *state;
    stay_auto_str char *messages = stay_strf(
        "backstay: error: there is no plugin `god` in %s, did you mean `good`?\n", stage->plugins);

    configure(DEST, 0600);
    assert_run(stage, "plugin show god", 2, "", messages);
    assert_int_equal(run(stage, "plugin show god --json"), 2);
    assert_non_null(strstr(stage->output, "\"kind\": \"usage\""));
}

static void usage_mistakes_exit_with_two(void **state)
{
    assert_run(*state, "vlidate", 2, "",
               "backstay: error: unknown command `vlidate`, did you mean `validate`?\n");
    assert_run(*state, "validate --foobar", 2, "",
               "backstay: error: unknown option `--foobar` of `backstay validate`; `backstay "
               "validate --help` lists what there is\n");
    assert_run(*state, "validate x", 2, "",
               "backstay: error: one argument too many, `x`: backstay validate\n");
}

static void messages_can_be_json(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage, "--log-format json validate"), 10);
    assert_true(stay_str_starts(stage->messages, "{\"time\":\"2"));
    assert_true(stay_str_ends(stage->messages,
                              "\"level\":\"error\",\"message\":\"read configuration "
                              "backstay.yaml: No such file or directory\"}\n"));
}

static void help_comes_from_the_tables(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage, "--help"), 0);
    assert_non_null(strstr(stage->output, "\nConfiguration:\n  validate        check"));
    assert_int_equal(run(stage, "help validate"), 0);
    stay_auto_str char *once = stay_strdup(stage->output);
    assert_int_equal(run(stage, "validate --help"), 0);
    assert_string_equal(stage->output, once);
    assert_true(stay_str_starts(once, "Usage: backstay validate [OPTION...]\n\nCheck the "));
    assert_non_null(strstr(once, "\n      --resolve           also follow references"));
    assert_int_equal(run(stage, "help exit-codes"), 0);
    assert_non_null(strstr(stage->output, "\n   16  there is no room left\n"));
    assert_int_equal(run(stage, "help configuration"), 0);
    assert_non_null(strstr(stage->output, "\n  memory_limit    How much memory a run may use "
                                          "(default: 512MiB)\n"));
    assert_run(stage, "help exit-code", 2, "",
               "backstay: error: there is no help on `exit-code`, did you mean `exit-codes`?\n");
}

static void assert_narrow(struct stage *stage, const char *line)
{
    assert_int_equal(run(stage, line), 0);
    for (char *text = strtok(stage->output, "\n"); text; text = strtok(NULL, "\n"))
        if (strlen(text) > 80)
            fail_msg("%s: %s", line, text);
}

static void no_line_of_help_is_wider_than_a_terminal(void **state)
{
    assert_narrow(*state, "--help");
    assert_narrow(*state, "help exit-codes");
    assert_narrow(*state, "help configuration");
    for (size_t i = 0; stay_commands[i]; i++) {
        stay_auto_str char *line = stay_strf("help %s", stay_commands[i]->name);
        assert_narrow(*state, line);
    }
}

static void without_a_command_the_help_goes_to_the_messages(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(run(stage, ""), 2);
    assert_string_equal(stage->output, "");
    assert_true(stay_str_starts(stage->messages, "Usage: backstay "));
}

static void the_version_is_printed(void **state)
{
    struct stage *stage = *state;

    assert_run(stage, "--version", 0, "backstay " BACKSTAY_VERSION "\n", "");
    assert_int_equal(run(stage, "version"), 0);
    assert_true(stay_str_starts(stage->output, "backstay " BACKSTAY_VERSION
                                               "\nplugin ABI 1\nrepository format 1\nopenssl 3."));
    assert_int_equal(run(stage, "version --json"), 0);
    assert_non_null(strstr(stage->output, "\"repository_format\": 1"));
}

#define ON_A_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_STAGE(a_valid_configuration_is_said_to_be_valid),
        ON_A_STAGE(validate_reports_the_mistakes_of_every_section),
        ON_A_STAGE(validate_follows_references_on_demand),
        ON_A_STAGE(mistakes_in_the_file_are_listed),
        ON_A_STAGE(a_missing_configuration_is_an_error_of_configuration),
        ON_A_STAGE(a_secret_in_a_file_for_all_eyes_is_refused),
        ON_A_STAGE(show_masks_secrets_and_keeps_references),
        ON_A_STAGE(show_speaks_json),
        ON_A_STAGE(plugins_are_listed_and_shown),
        ON_A_STAGE(an_unknown_plugin_gets_a_suggestion),
        ON_A_STAGE(usage_mistakes_exit_with_two),
        ON_A_STAGE(messages_can_be_json),
        ON_A_STAGE(help_comes_from_the_tables),
        ON_A_STAGE(no_line_of_help_is_wider_than_a_terminal),
        ON_A_STAGE(without_a_command_the_help_goes_to_the_messages),
        ON_A_STAGE(the_version_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
