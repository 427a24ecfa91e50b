/* tests/unit/cli/test_options.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * options: the parser, with a table of commands of its own.
 */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct copy_options {
    const char *to;
    const char *sample;
    int overwrite;
    int order;
    int64_t count;
    int64_t limit;
    struct stay_texts exclude;
    bool dry_run;
};

#define AT(member) offsetof(struct copy_options, member)

static const struct stay_option copy_rows[] = {
    {"to", 't', STAY_OPTION_TEXT, true, AT(to), "DIR", NULL, "where to"},
    {"sample", 's', STAY_OPTION_OPTIONAL, false, AT(sample), "PERCENT", NULL, "how much"},
    {"overwrite", 0, STAY_OPTION_CHOICE, false, AT(overwrite), "never|changed|always", "changed",
     "what is replaced"},
    {"order", 0, STAY_OPTION_CHOICE, false, AT(order), "up|down", NULL, "which way"},
    {"count", 'n', STAY_OPTION_NUMBER, false, AT(count), "N", "7", "how many"},
    {"limit", 0, STAY_OPTION_SIZE, false, AT(limit), "SIZE", NULL, "how large"},
    {"exclude", 'x', STAY_OPTION_LIST, false, AT(exclude), "PATTERN", NULL, "what not"},
    {"dry-run", 'd', STAY_OPTION_FLAG, false, AT(dry_run), NULL, NULL, "only say it"},
};

static int run_nothing(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    (void)cli;
    (void)options;
    return stay_fail(err, STAY_ERR_IO, "not to be run");
}

static const struct stay_command copy = {
    .name = "copy",
    .group = "Group",
    .summary = "Copies",
    .operands = "FROM [PATTERN]",
    .options = copy_rows,
    .n_options = STAY_COUNT(copy_rows),
    .options_size = sizeof(struct copy_options),
    .least = 1,
    .most = 2,
    .run = run_nothing,
};

static const struct stay_command set_show = {
    .name = "set show", .group = "Group", .summary = "Shows", .operands = "", .run = run_nothing};
static const struct stay_command set_clear = {
    .name = "set clear", .group = "Group", .summary = "Clears", .operands = "", .run = run_nothing};

/* In place of the program's own table: the linker takes these before it looks into the library. */
const struct stay_command *const stay_commands[] = {&copy, &set_show, &set_clear, NULL};

const struct stay_command *stay_command_find(const char *name)
{
    for (size_t i = 0; stay_commands[i]; i++)
        if (strcmp(stay_commands[i]->name, name) == 0)
            return stay_commands[i];
    return NULL;
}

bool stay_command_begins(const char *word)
{
    return strcmp(word, "set") == 0;
}

enum { WORDS_MAX = 16 };

/* Splits @line at spaces into an argv, and parses it. */
static int parse(struct stay_parsed *out, const char *line, struct stay_err *err)
{
    static char program[] = "backstay";
    static char copy_of_line[512];
    char *argv[WORDS_MAX + 1] = {program};
    char *rest = copy_of_line;
    size_t n = 1;

    (void)snprintf(copy_of_line, sizeof copy_of_line, "%s", line);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
        if (n < WORDS_MAX && *word)
            argv[n++] = word;
    return stay_options_parse(out, argv, err);
}

static void assert_refused(const char *line, const char *message)
{
    stay_auto_parsed struct stay_parsed parsed = {0};
    struct stay_err err = {0};

    assert_int_equal(parse(&parsed, line, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.kind, STAY_ERR_USAGE);
}

static void defaults_hold_where_nothing_is_given(void **state)
{
    stay_auto_parsed struct stay_parsed parsed = {0};

    (void)state;
    assert_int_equal(parse(&parsed, "copy --to /x a", NULL), 0);
    const struct copy_options *options = parsed.options;
    assert_ptr_equal(parsed.command, &copy);
    assert_string_equal(options->to, "/x");
    assert_null(options->sample);
    assert_int_equal(options->overwrite, 1);
    assert_int_equal(options->order, -1);
    assert_int_equal(options->count, 7);
    assert_int_equal(options->limit, 0);
    assert_int_equal(options->exclude.n, 0);
    assert_false(options->dry_run);
    assert_false(parsed.globals.json);
    assert_int_equal(parsed.globals.log_format, 0);
    assert_int_equal(parsed.operands.n, 1);
    assert_string_equal(parsed.operands.items[0], "a");
}

static void every_form_of_an_option_is_read(void **state)
{
    stay_auto_parsed struct stay_parsed parsed = {0};

    (void)state;
    assert_int_equal(parse(&parsed,
                           "-q copy -dvt/x --overwrite=always -n 12 --exclude a -xb --exclude= "
                           "from --limit 2K --json pattern",
                           NULL),
                     0);
    const struct copy_options *options = parsed.options;
    assert_string_equal(options->to, "/x");
    assert_int_equal(options->overwrite, 2);
    assert_int_equal(options->count, 12);
    assert_int_equal(options->limit, 2048);
    assert_int_equal(options->exclude.n, 3);
    assert_string_equal(options->exclude.items[0], "a");
    assert_string_equal(options->exclude.items[1], "b");
    assert_string_equal(options->exclude.items[2], "");
    assert_true(options->dry_run);
    assert_true(parsed.globals.quiet);
    assert_true(parsed.globals.verbose);
    assert_true(parsed.globals.json);
    assert_int_equal(parsed.operands.n, 2);
    assert_string_equal(parsed.operands.items[1], "pattern");
}

static void an_optional_value_comes_only_with_an_equals_sign(void **state)
{
    stay_auto_parsed struct stay_parsed with = {0};
    stay_auto_parsed struct stay_parsed without = {0};

    (void)state;
    assert_int_equal(parse(&with, "copy --to x --sample=5% a", NULL), 0);
    assert_string_equal(((const struct copy_options *)with.options)->sample, "5%");
    assert_int_equal(parse(&without, "copy --to x --sample a", NULL), 0);
    assert_string_equal(((const struct copy_options *)without.options)->sample, "");
    assert_int_equal(without.operands.n, 1);
}

static void two_hyphens_end_the_options(void **state)
{
    stay_auto_parsed struct stay_parsed parsed = {0};

    (void)state;
    assert_int_equal(parse(&parsed, "copy --to x -- --json -", NULL), 0);
    assert_false(parsed.globals.json);
    assert_int_equal(parsed.operands.n, 2);
    assert_string_equal(parsed.operands.items[0], "--json");
    assert_string_equal(parsed.operands.items[1], "-");
}

static void a_command_may_have_two_words(void **state)
{
    stay_auto_parsed struct stay_parsed parsed = {0};

    (void)state;
    assert_int_equal(parse(&parsed, "--json set clear", NULL), 0);
    assert_ptr_equal(parsed.command, &set_clear);
    assert_refused("set", "`backstay set` needs a second word: show, clear");
    assert_refused("set --json", "`backstay set` needs a second word: show, clear");
    assert_refused("set go", "unknown command `set go`; there are: show, clear");
}

static void without_a_command_there_is_none(void **state)
{
    stay_auto_parsed struct stay_parsed parsed = {0};

    (void)state;
    assert_int_equal(parse(&parsed, "--quiet", NULL), 0);
    assert_null(parsed.command);
}

static void help_does_not_ask_for_what_is_missing(void **state)
{
    stay_auto_parsed struct stay_parsed parsed = {0};

    (void)state;
    assert_int_equal(parse(&parsed, "copy --help", NULL), 0);
    assert_true(parsed.globals.help);
    assert_ptr_equal(parsed.command, &copy);
}

static void mistakes_are_explained(void **state)
{
    (void)state;
    assert_refused("cpoy", "unknown command `cpoy`, did you mean `copy`?");
    assert_refused("zzzzzz", "unknown command `zzzzzz`; `backstay help` lists what there is");
    assert_refused("copy --overwite x",
                   "unknown option `--overwite` of `backstay copy`, did you mean `--overwrite`?");
    assert_refused("copy --jsn=5",
                   "unknown option `--jsn` of `backstay copy`, did you mean `--json`?");
    assert_refused("copy --zzzzzz=secret", "unknown option `--zzzzzz` of `backstay copy`; "
                                           "`backstay copy --help` lists what there is");
    assert_refused("copy -dz", "unknown option `-z` of `backstay copy`; `backstay copy --help` "
                               "lists what there is");
    assert_refused("--to x copy", "unknown option `--to` of `backstay`; `backstay --help` lists "
                                  "what there is");
    assert_refused("copy --=x", "unknown option `--` of `backstay copy`; `backstay copy --help` "
                                "lists what there is");
    assert_refused("copy --to", "option `--to` needs a value: --to DIR");
    assert_refused("copy -t", "option `-t` needs a value: -t DIR");
    assert_refused("copy --json=yes", "option `--json` takes no value, and `--json=yes` gives one");
    assert_refused("copy --overwrite some",
                   "option `--overwrite` must be never|changed|always, not `some`");
    assert_refused("copy --overwrite never|changed",
                   "option `--overwrite` must be never|changed|always, not `never|changed`");
    assert_refused("copy --overwrite=",
                   "option `--overwrite` must be never|changed|always, not ``");
    assert_refused("copy -n many", "option `--count` must be a whole number, not `many`");
    assert_refused("copy --limit 3x", "option `--limit` must be a size like 512MiB, not `3x`");
    assert_refused("copy a", "`backstay copy` needs the option `--to DIR`");
    assert_refused("copy --to x", "an argument is missing: backstay copy FROM [PATTERN]");
    assert_refused("copy --to x a b c", "one argument too many, `c`: backstay copy FROM [PATTERN]");
    assert_refused("set show x", "one argument too many, `x`: backstay set show");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_where_nothing_is_given),
        cmocka_unit_test(every_form_of_an_option_is_read),
        cmocka_unit_test(an_optional_value_comes_only_with_an_equals_sign),
        cmocka_unit_test(two_hyphens_end_the_options),
        cmocka_unit_test(a_command_may_have_two_words),
        cmocka_unit_test(without_a_command_there_is_none),
        cmocka_unit_test(help_does_not_ask_for_what_is_missing),
        cmocka_unit_test(mistakes_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
