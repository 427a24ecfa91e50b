/* tests/unit/model/test_config.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * config: what is wrong in a file, said with line, column and remedy; what is right, typed.
 */
#include "model/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEST "destinations:\n  local: {type: local, path: /b}\n"

struct bad {
    const char *text;
    const char *message; /* of the first problem; all of them when there are more, one per line */
};

static const struct bad bad_files[] = {
    {"", "b.yaml:1:1: the file is empty"},
    {"# nothing but a remark\n", "b.yaml:1:1: the file is empty"},
    {"- a\n", "b.yaml:1:1: a configuration is a map of keys to values, not a list"},
    {"just text\n", "b.yaml:1:1: a configuration is a map of keys to values, not a value"},
    {"app: shop\n", "b.yaml:1:1: `destinations` is missing: it says where backups are stored"},

    /* keys */
    {DEST "sourcs: {}\n", "b.yaml:3:1: unknown key `sourcs`, did you mean `sources`?"},
    {DEST "Threads: 3\n", "b.yaml:3:1: unknown key `Threads`, did you mean `threads`?"},
    {DEST "zzz: 3\n", "b.yaml:3:1: unknown key `zzz`; there are app, sources, destinations, "
                      "state_dir, plugin_dir, memory_limit, threads, compression"},
    {DEST "app: a\napp: b\n", "b.yaml:4:1: `app` is already given at line 3"},
    {DEST "? [a, b]\n: c\n", "b.yaml:3:3: a key must be text, not a list"},
    {DEST "\"a\\e[31mb\": c\n",
     "b.yaml:3:1: unknown key `a?[31mb`; there are app, sources, destinations, state_dir, "
     "plugin_dir, memory_limit, threads, compression"},

    /* keys of later versions */
    {DEST "jobs: {nightly: {schedule: \"30 2 * * *\"}}\n",
     "b.yaml:3:1: `jobs` is not supported by this version: run `backstay backup` from cron or from "
     "a systemd timer instead"},
    {DEST "encryption: {recipients: [age1x]}\n",
     "b.yaml:3:1: `encryption` is not supported by this version: repositories are not encrypted "
     "yet, so use an encrypted disk or bucket"},
    {DEST "objectives: {rpo: 26h}\n",
     "b.yaml:3:1: `objectives` is not supported by this version: `backstay list` shows how old the "
     "newest snapshot is"},
    {DEST "keep: {daily: 14}\n",
     "b.yaml:3:1: `keep` is not supported by this version: every snapshot is kept"},
    {DEST "verify: {}\n", "b.yaml:3:1: `verify` is not supported by this version: run `backstay "
                          "check --read-data`, and restore to try it"},
    {DEST "checks: {}\n",
     "b.yaml:3:1: `checks` is not supported by this version: restored data is not queried yet"},
    {DEST "drills: {}\n", "b.yaml:3:1: `drills` is not supported by this version: rehearse with "
                          "`backstay restore` by hand"},
    {DEST "alerts: {}\n", "b.yaml:3:1: `alerts` is not supported by this version: let cron or "
                          "systemd report an exit code that is not 0"},
    {DEST "metrics: {}\n", "b.yaml:3:1: `metrics` is not supported by this version: read the "
                           "output of `backstay stats --json`"},

    /* values of the keys at the top */
    {DEST "app:\n", "b.yaml:3:5: `app` has no value"},
    {DEST "app: \"\"\n", "b.yaml:3:6: `app` is empty"},
    {DEST "app: [shop]\n", "b.yaml:3:6: `app` must be one value, not a list"},
    {DEST "app: {name: shop}\n", "b.yaml:3:6: `app` must be one value, not a map"},
    {DEST "threads: many\n",
     "b.yaml:3:10: `threads` must be a whole number from 1 to 1024, not `many`"},
    {DEST "threads: 0\n", "b.yaml:3:10: `threads` must be a whole number from 1 to 1024, not `0`"},
    {DEST "threads: 2.5\n",
     "b.yaml:3:10: `threads` must be a whole number from 1 to 1024, not `2.5`"},
    {DEST "threads: 99999999999999999999\n",
     "b.yaml:3:10: `threads` must be a whole number from 1 to 1024, not `99999999999999999999`"},
    {DEST "compression: 20\n",
     "b.yaml:3:14: `compression` must be a whole number from 1 to 19, not `20`"},
    {DEST "compression: zstd\n",
     "b.yaml:3:14: `compression` must be a whole number from 1 to 19, not `zstd`"},
    {DEST "memory_limit: lots\n",
     "b.yaml:3:15: `memory_limit` must be a size like 512MiB, not `lots`"},
    {DEST "memory_limit: 127MiB\n",
     "b.yaml:3:15: `memory_limit` must be from 128.0 MiB to 1.0 TiB, not `127MiB`"},
    {DEST "memory_limit: 512\n",
     "b.yaml:3:15: `memory_limit` must be from 128.0 MiB to 1.0 TiB, not `512`"},
    {DEST "memory_limit: 2048G\n",
     "b.yaml:3:15: `memory_limit` must be from 128.0 MiB to 1.0 TiB, not `2048G`"},
    {DEST "state_dir: \"env:\"\n",
     "b.yaml:3:12: `state_dir`: the reference `env:` says nothing after its colon"},

    /* sections */
    {"destinations:\n", "b.yaml:1:14: `destinations` has no entries"},
    {"destinations: {}\n", "b.yaml:1:15: `destinations` has no entries"},
    {"destinations: /backup\n",
     "b.yaml:1:15: `destinations` must be a map of names, each with a `type`, not a value"},
    {"destinations:\n  - {type: local}\n",
     "b.yaml:2:3: `destinations` must be a map of names, each with a `type`, not a list"},
    {"destinations:\n  local:\n", "b.yaml:2:9: destination `local` has no `type` and no options"},
    {"destinations:\n  local: /backup\n",
     "b.yaml:2:10: destination `local` must be a map with a `type` and options, not a value"},
    {"destinations:\n  local: {path: /backup}\n",
     "b.yaml:2:10: destination `local` has no `type`; `backstay plugin list` shows the types"},
    {"destinations:\n  local: {type: , path: /backup}\n",
     "b.yaml:2:17: `type` of destination `local` has no value"},
    {"destinations:\n  local: {type: [local]}\n",
     "b.yaml:2:17: `type` of destination `local` must be one value, not a list"},
    {"destinations:\n  local: {type: ../../evil}\n",
     "b.yaml:2:17: `type` of destination `local` must be the name of a plugin, not `../../evil`; "
     "`backstay plugin list` shows them"},
    {"destinations:\n  local: {type: env:TYPE}\n",
     "b.yaml:2:17: `type` of destination `local` must be the name of a plugin, not `env:TYPE`; "
     "`backstay plugin list` shows them"},
    {"destinations:\n  latest: {type: local}\n",
     "b.yaml:2:3: `latest` cannot be the name of a destination: on the command line it means the "
     "newest snapshot"},
    {"destinations:\n  my disk: {type: local}\n",
     "b.yaml:2:3: `my disk` cannot be the name of a destination: use 1 to 64 letters, digits, `_` "
     "and `-`"},
    {"destinations:\n  \"\": {type: local}\n",
     "b.yaml:2:3: `` cannot be the name of a destination: use 1 to 64 letters, digits, `_` and "
     "`-`"},
    {"destinations:\n"
     "  a12345678901234567890123456789012345678901234567890123456789012345: {type: local}\n",
     "b.yaml:2:3: `a12345678901234567890123456789012345678901234567890123456789012345` cannot be "
     "the name of a destination: use 1 to 64 letters, digits, `_` and `-`"},
    {"destinations:\n  local: {type: local}\n  local: {type: local}\n",
     "b.yaml:3:3: `local` is already given at line 2"},
    {DEST "sources:\n  media: {type: media, path: }\n",
     "b.yaml:4:30: `path` of source `media` has no value"},
    {DEST "sources:\n  media: {type: media, path: {a: b}}\n",
     "b.yaml:4:30: `path` of source `media` must be one value or a list, not a map"},
    {DEST "sources:\n  media: {type: media, path: /a, path: /b}\n",
     "b.yaml:4:34: `path` is already given at line 4"},
    {DEST "sources:\n  media: {type: media, exclude: [a, , b]}\n",
     "b.yaml:4:37: not valid YAML: did not find expected node content, while parsing a flow node "
     "that begins at line 4"},
    {DEST "sources:\n  media:\n    type: media\n    exclude:\n      - a\n      -\n      - [b]\n",
     "b.yaml:8:8: item 2 of `exclude` of source `media` has no value\n"
     "b.yaml:9:9: item 3 of `exclude` of source `media` must be one value, not a list"},
    {DEST "sources:\n  db: {type: postgres, url: \"env:\"}\n",
     "b.yaml:4:29: `url` of source `db`: the reference `env:` says nothing after its colon"},

    /* YAML that is refused */
    {DEST "sources:\n  a: &x {type: media}\n  b: *x\n",
     "b.yaml:4:6: anchors (`&x`) are not supported: write the value where it is needed, and quote "
     "one that begins with &\n"
     "b.yaml:5:6: aliases (`*x`) are not supported: write the value out, and quote one that begins "
     "with *\n"
     "b.yaml:5:6: source `b` must be a map with a `type` and options, not a value"},
    {DEST "app: !!str 5\n", "b.yaml:3:6: tags (`tag:yaml.org,2002:str`) are not supported: the "
                            "types of values are known; quote a value that begins with !"},
    {DEST "app: !shop\n", "b.yaml:3:6: tags (`!shop`) are not supported: the types of values are "
                          "known; quote a value that begins with !\n"
                          "b.yaml:3:6: `app` has no value"},
    {DEST "---\napp: x\n",
     "b.yaml:3:1: a second document begins here: a configuration is one document"},
    {DEST "app: \"a\\0b\"\n", "b.yaml:3:6: a value must not contain the character \\0"},
    {DEST "app: [\n", "b.yaml:4:1: not valid YAML: did not find expected node content, while "
                      "parsing a flow node that begins at line 4"},
    {DEST "app: \"no end\n", "b.yaml:4:1: not valid YAML: found unexpected end of stream, while "
                             "scanning a quoted scalar that begins at line 3"},
    {DEST "\tapp: x\n", "b.yaml:3:1: not valid YAML: found character that cannot start any token, "
                        "while scanning for the next token that begins at line 3; indentation must "
                        "be spaces, and a value that begins with @, ` or % must be quoted"},
    {DEST "app: @x\n", "b.yaml:3:6: not valid YAML: found character that cannot start any token, "
                       "while scanning for the next token that begins at line 3; indentation must "
                       "be spaces, and a value that begins with @, ` or % must be quoted"},
    {DEST "sources:\n  m: {type: media, exclude: [*.tmp]}\n",
     "b.yaml:4:31: not valid YAML: did not find expected alphabetic or numeric character, while "
     "scanning an alias that begins at line 4; a value that begins with * or & must be quoted"},
    {DEST "app: a: b\n", "b.yaml:3:7: not valid YAML: mapping values are not allowed in this "
                         "context"},
    {"destinations:\n  local: {type: local}\n state_dir: /x\n",
     "b.yaml:3:2: not valid YAML: did not find expected key, while parsing a block mapping that "
     "begins at line 1"},
    {DEST "app: \xff\xfe\n", "b.yaml:3:6: not UTF-8 text: invalid leading UTF-8 octet"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]",
     "b.yaml:1:17: nested too deeply for a configuration"},

    /* everything at once */
    {"app:\nthread: 2\nsources:\n  a b: 5\ndestinations: []\nkeep: 3\n",
     "b.yaml:1:5: `app` has no value\n"
     "b.yaml:2:1: unknown key `thread`, did you mean `threads`?\n"
     "b.yaml:4:3: `a b` cannot be the name of a source: use 1 to 64 letters, digits, `_` and `-`\n"
     "b.yaml:4:8: source `a b` must be a map with a `type` and options, not a value\n"
     "b.yaml:5:15: `destinations` must be a map of names, each with a `type`, not a list\n"
     "b.yaml:6:1: `keep` is not supported by this version: every snapshot is kept"},
};

static int parse(struct stay_config **out, const char *text, struct stay_problems *problems,
                 struct stay_err *err)
{
    return stay_config_parse(out, text, strlen(text), "b.yaml", problems, err);
}

/* Whether the file is refused with its message; prints what came instead. */
static bool is_refused(const struct bad *bad)
{
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto_buf struct stay_buf said = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    struct stay_err err = {0};
    int outcome = parse(&config, bad->text, &problems, &err);

    for (size_t i = 0; i < problems.n; i++)
        stay_buf_printf(&said, "%s%s", i ? "\n" : "", problems.texts[i]);
    if (outcome == -1 && err.kind == STAY_ERR_CONFIG && said.len &&
        strcmp(said.data, bad->message) == 0)
        return true;
    print_error("the file\n%s\ngives  %s\nand not %s\n\n", bad->text, said.len ? said.data : "-",
                bad->message);
    return false;
}

static void each_bad_file_gets_its_message(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(bad_files); i++)
        wrong += !is_refused(&bad_files[i]);
    assert_int_equal(wrong, 0);
}

static void the_error_counts_what_the_list_holds(void **state)
{
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto_buf struct stay_buf text = {0};
    struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    stay_buf_str(&text, DEST);
    for (int i = 0; i < 25; i++)
        stay_buf_printf(&text, "zz%d: 1\n", i);
    assert_int_equal(parse(&config, text.data, &problems, &err), -1);
    assert_int_equal(problems.n, 20);
    assert_int_equal(problems.total, 25);
    assert_string_equal(err.text,
                        "b.yaml:3:1: unknown key `zz0`; there are app, sources, destinations, "
                        "state_dir, plugin_dir, memory_limit, threads, compression (and 24 more)");
}

static void one_source_and_one_destination_are_enough(void **state)
{
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(
        parse(&config, "sources: {m: {type: media, path: /m}}\n" DEST, &problems, &err), 0);
    assert_int_equal(config->sources.n, 1);
    assert_string_equal(config->sources.items[0].name, "m");
    assert_string_equal(config->sources.items[0].type, "media");
    assert_int_equal(config->sources.items[0].n_settings, 1);
    assert_string_equal(config->sources.items[0].settings[0].name, "path");
    assert_string_equal(config->sources.items[0].settings[0].text, "/m");
    assert_int_equal(config->memory_limit, 512 << 20);
    assert_int_equal(config->compression, 3);
    assert_null(config->app);
    assert_null(config->plugin_dir);
    assert_int_equal(config->mode, 0);
}

static void values_are_what_their_key_says_and_nothing_is_guessed(void **state)
{
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    const char *text = "app: no\n"
                       "memory_limit: 1GiB\n"
                       "threads: 8\n"
                       "compression: '19'\n"
                       "state_dir: state\n"
                       "plugin_dir: /opt/plugins\n"
                       "sources:\n"
                       "  m:\n"
                       "    type: media\n"
                       "    path: 0x10\n"
                       "    exclude: [yes, ~, 1e3, \"\"]\n"
                       "    include: []\n" DEST;

    (void)state;
    assert_int_equal(
        stay_config_parse(&config, text, strlen(text), "/etc/b/b.yaml", &problems, NULL), 0);
    assert_string_equal(config->app, "no");
    assert_int_equal(config->memory_limit, 1 << 30);
    assert_int_equal(config->threads, 8);
    assert_int_equal(config->compression, 19);
    assert_string_equal(config->state_dir, "/etc/b/state");
    assert_string_equal(config->plugin_dir, "/opt/plugins");
    const struct stay_config_section *section = stay_config_section(&config->sources, "m");
    assert_int_equal(section->n_settings, 3);
    assert_string_equal(section->settings[0].text, "0x10");
    assert_int_equal(section->settings[1].n_items, 4);
    assert_string_equal(section->settings[1].items[0], "yes");
    assert_string_equal(section->settings[1].items[1], "~");
    assert_string_equal(section->settings[1].items[2], "1e3");
    assert_string_equal(section->settings[1].items[3], "");
    assert_null(section->settings[1].text);
    assert_int_equal(section->settings[1].line, 11);
    assert_int_equal(section->settings[1].column, 14);
    assert_non_null(section->settings[2].items);
    assert_int_equal(section->settings[2].n_items, 0);
    assert_null(stay_config_section(&config->sources, "x"));
}

static const char *from_table(void *ctx, const char *name)
{
    const char *const *pairs = ctx;

    for (; *pairs; pairs += 2)
        if (strcmp(*pairs, name) == 0)
            return pairs[1];
    return NULL;
}

static struct stay_resolver resolver_of(const char *const *pairs)
{
    return (struct stay_resolver){.get = from_table, .ctx = (void *)(uintptr_t)pairs};
}

static void references_at_the_top_are_resolved_and_typed_on_demand(void **state)
{
    static const char *const good[] = {"MEM", "2GiB", "STATE", "/s", NULL};
    static const char *const bad[] = {"MEM", "1MiB", "STATE", "/s", NULL};
    const char *text = DEST "memory_limit: env:MEM\nstate_dir: env:STATE\n";
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(parse(&config, text, &problems, &err), 0);
    assert_int_equal(config->memory_limit, 512 << 20);
    const struct stay_resolver worse = resolver_of(bad);
    assert_int_equal(stay_config_resolve(config, &worse, 0, &err), -1);
    assert_string_equal(err.text, "b.yaml:3:15: `memory_limit` must be from 128.0 MiB to 1.0 TiB, "
                                  "not `1MiB`");
    const struct stay_resolver better = resolver_of(good);
    assert_int_equal(stay_config_resolve(config, &better, 0, &err), 0);
    assert_int_equal(config->memory_limit, INT64_C(2) << 30);
    assert_string_equal(config->state_dir, "/s");
}

static void threads_must_fit_into_the_memory_limit(void **state)
{
    static const char *const none[] = {NULL};
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *large = NULL;
    stay_auto(stay_config_free) struct stay_config *small = NULL;
    const struct stay_resolver resolver = resolver_of(none);
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(parse(&large, DEST "memory_limit: 128MiB\nthreads: 2\n", &problems, &err), 0);
    assert_int_equal(stay_config_resolve(large, &resolver, 0, &err), -1);
    assert_string_equal(err.text, "b.yaml: 2 threads do not fit into a memory_limit of 128.0 MiB: "
                                  "at most 1 do");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
    assert_int_equal(parse(&small, DEST "memory_limit: 128MiB\n", &problems, &err), 0);
    assert_int_equal(stay_config_resolve(small, &resolver, 0, &err), 0);
    assert_int_equal(small->threads, 1);
}

static void a_reference_that_leads_nowhere_is_shown_with_its_place(void **state)
{
    static const char *const none[] = {NULL};
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    const struct stay_resolver resolver = resolver_of(none);
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(parse(&config, DEST "app: env:APP\n", &problems, &err), 0);
    assert_int_equal(stay_config_resolve(config, &resolver, 0, &err), -1);
    assert_string_equal(err.text, "b.yaml:3:6: `app`: resolve `env:APP`: it is not set in the "
                                  "environment");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
}

static void assert_state_dir(const char *const *environment, unsigned uid, const char *expected)
{
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    const struct stay_resolver resolver = resolver_of(environment);

    assert_int_equal(parse(&config, DEST, &problems, NULL), 0);
    assert_int_equal(stay_config_resolve(config, &resolver, uid, NULL), 0);
    assert_string_equal(config->state_dir, expected);
    assert_true(config->threads >= 1);
}

static void the_default_state_folder_depends_on_the_user(void **state)
{
    static const char *const home[] = {"HOME", "/home/u", NULL};
    static const char *const xdg[] = {"HOME", "/home/u", "XDG_STATE_HOME", "/x", NULL};
    static const char *const odd[] = {"HOME", "/home/u", "XDG_STATE_HOME", "relative", NULL};

    (void)state;
    assert_state_dir(home, 0, "/var/lib/backstay");
    assert_state_dir(home, 1000, "/home/u/.local/state/backstay");
    assert_state_dir(xdg, 1000, "/x/backstay");
    assert_state_dir(odd, 1000, "/home/u/.local/state/backstay");
}

static void without_a_home_the_state_folder_must_be_given(void **state)
{
    static const char *const none[] = {NULL};
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    const struct stay_resolver resolver = resolver_of(none);
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(parse(&config, DEST, &problems, NULL), 0);
    assert_int_equal(stay_config_resolve(config, &resolver, 1000, &err), -1);
    assert_string_equal(err.text, "`state_dir` is not given, and neither $XDG_STATE_HOME nor $HOME "
                                  "says where it should be");
}

static int enter_folder(void **state)
{
    char *folder = NULL;

    if (stay_fs_make_scratch(&folder, "/tmp/backstay-config-", NULL) < 0 || chdir(folder) != 0)
        return -1;
    *state = folder;
    return 0;
}

static int leave_folder(void **state)
{
    int outcome = chdir("/") == 0 ? stay_fs_remove_tree(*state, NULL) : -1;

    free(*state);
    return outcome;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(stay_fs_write_atomic(path, text, strlen(text), mode, NULL), 0);
}

static int load(struct stay_config **out, const char *path, struct stay_err *err)
{
    stay_auto_problems struct stay_problems problems = {0};

    return stay_config_load(out, path, &problems, err);
}

static void a_loaded_file_knows_its_folder_and_mode(void **state)
{
    stay_auto(stay_config_free) struct stay_config *config = NULL;

    write_file("b.yaml", DEST, 0640);
    assert_int_equal(load(&config, "b.yaml", NULL), 0);
    assert_string_equal(config->file, "b.yaml");
    assert_string_equal(config->folder, *state);
    assert_int_equal(config->mode, 0640);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(load(&config, "none.yaml", &err), -1);
    assert_string_equal(err.text, "read configuration none.yaml: No such file or directory");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
}

static void a_file_that_everybody_can_write_is_refused(void **state)
{
    struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    write_file("b.yaml", DEST, 0666);
    assert_int_equal(load(&config, "b.yaml", &err), -1);
    assert_string_equal(err.text,
                        "everybody can write configuration b.yaml (mode 0666): it could run "
                        "commands as the caller; run chmod o-w on it");
}

static void a_file_of_another_user_is_refused(void **state)
{
    struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a file away: not checked\n");
        skip();
    }
    write_file("b.yaml", DEST, 0600);
    assert_int_equal(chown("b.yaml", 1234, 1234), 0);
    assert_int_equal(load(&config, "b.yaml", &err), -1);
    assert_string_equal(err.text, "configuration b.yaml belongs to uid 1234, neither to root nor "
                                  "to the caller (uid 0): it could run commands as the caller; "
                                  "chown it");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    stay_auto_str char *text = stay_calloc(300000, 1);
    struct stay_config *config = NULL;
    struct stay_err err = {0};

    (void)state;
    memset(text, '#', 299999);
    write_file("b.yaml", text, 0600);
    assert_int_equal(load(&config, "b.yaml", &err), -1);
    assert_string_equal(err.text, "read configuration: b.yaml is larger than 262144 bytes");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
}

static bool password_is_secret(void *ctx, const char *kind, const char *type, const char *option)
{
    (void)ctx;
    return strcmp(kind, "source") == 0 && strcmp(type, "mysql") == 0 &&
           strcmp(option, "password") == 0;
}

static void assert_secrets(const char *password, mode_t mode, const char *message)
{
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto_str char *text =
        stay_strf("sources:\n  db: {type: mysql, user: x, password: %s}\n" DEST, password);
    struct stay_err err = {0};

    write_file("b.yaml", text, mode);
    assert_int_equal(load(&config, "b.yaml", &err), 0);
    int outcome = stay_config_check_secrets(config, password_is_secret, NULL, &problems, &err);
    assert_int_equal(outcome, message ? -1 : 0);
    if (message)
        assert_string_equal(err.text, message);
}

static void written_out_secrets_that_others_can_read_are_refused(void **state)
{
    (void)state;
    assert_secrets("hunter2", 0600, NULL);
    assert_secrets("hunter2", 0400, NULL);
    assert_secrets("env:PASSWORD", 0644, NULL);
    assert_secrets("hunter2", 0640,
                   "b.yaml:2:40: `password` of source `db` is a secret, and others can read it "
                   "(mode 0640): run `chmod 600 b.yaml`, or write env:NAME, file:PATH or cred:NAME "
                   "instead");
    assert_secrets("[env:A, hunter2]", 0604,
                   "b.yaml:2:40: `password` of source `db` is a secret, and others can read it "
                   "(mode 0604): run `chmod 600 b.yaml`, or write env:NAME, file:PATH or cred:NAME "
                   "instead");
}

static void the_search_order_is_option_variable_folder(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const set[] = {"BACKSTAY_CONFIG", "/v.yaml", NULL};
    const struct stay_resolver without = resolver_of(none);
    const struct stay_resolver with = resolver_of(set);
    stay_auto_str char *option = NULL;
    stay_auto_str char *variable = NULL;
    stay_auto_str char *folder = NULL;

    (void)state;
    write_file("backstay.yaml", DEST, 0600);
    assert_int_equal(stay_config_find(&option, "/o.yaml", &with, NULL), 0);
    assert_string_equal(option, "/o.yaml");
    assert_int_equal(stay_config_find(&variable, NULL, &with, NULL), 0);
    assert_string_equal(variable, "/v.yaml");
    assert_int_equal(stay_config_find(&folder, NULL, &without, NULL), 0);
    assert_string_equal(folder, "./backstay.yaml");
}

static void a_search_without_success_says_what_was_tried(void **state)
{
    static const char *const none[] = {NULL};
    const struct stay_resolver resolver = resolver_of(none);
    struct stay_err err = {0};
    char *found = NULL;

    (void)state;
    if (stay_fs_exists("/etc/backstay/backstay.yaml")) {
        print_message("this machine has a configuration: not checked\n");
        skip();
    }
    assert_int_equal(stay_config_find(&found, NULL, &resolver, &err), -1);
    assert_string_equal(err.text, "there is no configuration: --config is not given, "
                                  "$BACKSTAY_CONFIG is not set, ./backstay.yaml and "
                                  "/etc/backstay/backstay.yaml do not exist");
    assert_int_equal(err.kind, STAY_ERR_CONFIG);
}

static void the_example_is_valid_and_mentions_every_key(void **state)
{
    stay_auto_problems struct stay_problems problems = {0};
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    stay_auto_buf struct stay_buf example = {0};
    stay_auto_buf struct stay_buf page = {0};
    struct stay_err err = {0};

    (void)state;
    assert_int_equal(stay_fs_read(&example, SOURCE_FOLDER "/conf/backstay.yaml", 65536, NULL), 0);
    assert_int_equal(stay_fs_read(&page, SOURCE_FOLDER "/docs/configuration.md", 65536, NULL), 0);
    if (parse(&config, example.data, &problems, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++) {
        stay_auto_str char *row = stay_strf("`%s`", stay_config_keys[i].name);
        stay_auto_str char *line = stay_strf("%s:", stay_config_keys[i].name);
        if (strstr(page.data, row) == NULL)
            fail_msg("docs/configuration.md does not mention %s", row);
        if (stay_config_keys[i].type != STAY_CONFIG_LATER && strstr(example.data, line) == NULL)
            fail_msg("conf/backstay.yaml does not mention %s", line);
    }
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_file_gets_its_message),
        cmocka_unit_test(the_error_counts_what_the_list_holds),
        cmocka_unit_test(one_source_and_one_destination_are_enough),
        cmocka_unit_test(values_are_what_their_key_says_and_nothing_is_guessed),
        cmocka_unit_test(references_at_the_top_are_resolved_and_typed_on_demand),
        cmocka_unit_test(threads_must_fit_into_the_memory_limit),
        cmocka_unit_test(a_reference_that_leads_nowhere_is_shown_with_its_place),
        cmocka_unit_test(the_default_state_folder_depends_on_the_user),
        cmocka_unit_test(without_a_home_the_state_folder_must_be_given),
        cmocka_unit_test(the_example_is_valid_and_mentions_every_key),
        IN_A_FOLDER(a_loaded_file_knows_its_folder_and_mode),
        IN_A_FOLDER(a_file_that_is_not_there_is_named),
        IN_A_FOLDER(a_file_that_everybody_can_write_is_refused),
        IN_A_FOLDER(a_file_of_another_user_is_refused),
        IN_A_FOLDER(a_file_that_is_too_large_is_refused),
        IN_A_FOLDER(written_out_secrets_that_others_can_read_are_refused),
        IN_A_FOLDER(the_search_order_is_option_variable_folder),
        IN_A_FOLDER(a_search_without_success_says_what_was_tried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
