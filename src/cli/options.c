/* src/cli/options.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/options.h"

#include <string.h>

#define AT(member) offsetof(struct stay_globals, member)

const struct stay_option stay_global_options[STAY_GLOBAL_OPTIONS] = {
    {"config", 'c', STAY_OPTION_TEXT, false, AT(config), "FILE", NULL,
     "the configuration; else $BACKSTAY_CONFIG, ./backstay.yaml, /etc/backstay/backstay.yaml"},
    {"json", 0, STAY_OPTION_FLAG, false, AT(json), NULL, NULL,
     "one JSON object on standard output instead of text"},
    {"quiet", 'q', STAY_OPTION_FLAG, false, AT(quiet), NULL, NULL,
     "only warnings, errors and what was asked for"},
    {"verbose", 'v', STAY_OPTION_FLAG, false, AT(verbose), NULL, NULL, "say more about the work"},
    {"debug", 0, STAY_OPTION_FLAG, false, AT(debug), NULL, NULL, "say everything"},
    {"log-format", 0, STAY_OPTION_CHOICE, false, AT(log_format), "text|json", "text",
     "messages on standard error as text, or as one JSON object per line"},
    {"no-color", 0, STAY_OPTION_FLAG, false, AT(no_color), NULL, NULL,
     "no colours; $NO_COLOR does the same"},
    {"help", 'h', STAY_OPTION_FLAG, false, AT(help), NULL, NULL,
     "explain the program or the command"},
    {"version", 0, STAY_OPTION_FLAG, false, AT(version), NULL, NULL, "print the version"},
};

/* A row together with the struct that receives its value. */
struct found {
    const struct stay_option *option;
    void *base;
};

struct parser {
    struct stay_parsed *out;
    char *const *next; /* the argument after the one being read */
};

static int store_choice(int *member, const struct stay_option *option, const char *text,
                        struct stay_err *err)
{
    size_t len = strlen(text);
    const char *word = option->argument;

    for (int i = 0; word; i++) {
        size_t end = strcspn(word, "|");
        if (end == len && strncmp(word, text, len) == 0) {
            *member = i;
            return 0;
        }
        word = word[end] ? word + end + 1 : NULL;
    }
    return stay_fail(err, STAY_ERR_USAGE, "option `--%s` must be %s, not `%s`", option->name,
                     option->argument, text);
}

static int store(const struct found *found, const char *text, struct stay_err *err)
{
    const struct stay_option *option = found->option;
    void *member = (char *)found->base + option->offset;

    switch (option->type) {
    case STAY_OPTION_FLAG:
        *(bool *)member = true;
        return 0;
    case STAY_OPTION_TEXT:
    case STAY_OPTION_OPTIONAL:
        *(const char **)member = text;
        return 0;
    case STAY_OPTION_CHOICE:
        return store_choice(member, option, text, err);
    case STAY_OPTION_NUMBER:
        if (stay_str_i64(text, member) == 0)
            return 0;
        return stay_fail(err, STAY_ERR_USAGE, "option `--%s` must be a whole number, not `%s`",
                         option->name, text);
    case STAY_OPTION_SIZE:
        if (stay_str_size(text, member) == 0)
            return 0;
        return stay_fail(err, STAY_ERR_USAGE, "option `--%s` must be a size like 512MiB, not `%s`",
                         option->name, text);
    case STAY_OPTION_LIST:
        *stay_vec_push((struct stay_texts *)member) = text;
        return 0;
    }
    return stay_fail(err, STAY_ERR_USAGE, "option `--%s` has no type", option->name);
}

static int store_defaults(const struct stay_option *options, size_t n, void *base,
                          struct stay_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct found row = {.option = &options[i], .base = base};
        if (options[i].type == STAY_OPTION_CHOICE)
            *(int *)((char *)base + options[i].offset) = -1;
        if (options[i].default_text && store(&row, options[i].default_text, err) < 0)
            return -1;
    }
    return 0;
}

/* Looks for an option by its name (@len bytes of it) or, with @len 0, by the letter *@name. */
static bool look_up(const struct stay_option *options, size_t n, void *base, const char *name,
                    size_t len, struct found *out)
{
    for (size_t i = 0; i < n; i++) {
        bool same = len ? strncmp(options[i].name, name, len) == 0 && options[i].name[len] == '\0'
                        : options[i].letter != 0 && options[i].letter == *name;
        if (same) {
            *out = (struct found){.option = &options[i], .base = base};
            return true;
        }
    }
    return false;
}

static bool find(const struct parser *parser, const char *name, size_t len, struct found *out)
{
    const struct stay_command *command = parser->out->command;

    return (command &&
            look_up(command->options, command->n_options, parser->out->options, name, len, out)) ||
           look_up(stay_global_options, STAY_GLOBAL_OPTIONS, &parser->out->globals, name, len, out);
}

static const char *nearest_option(const struct stay_command *command, const char *name)
{
    size_t n = command ? command->n_options : 0;
    stay_auto_free const char **names = stay_calloc(n + STAY_GLOBAL_OPTIONS, sizeof *names);

    for (size_t i = 0; i < n; i++)
        names[i] = command->options[i].name;
    for (size_t i = 0; i < STAY_GLOBAL_OPTIONS; i++)
        names[n + i] = stay_global_options[i].name;
    return stay_str_nearest(name, names, n + STAY_GLOBAL_OPTIONS);
}

static int fail_unknown_option(const struct parser *parser, const char *shown, const char *name,
                               struct stay_err *err)
{
    const struct stay_command *command = parser->out->command;
    const char *nearest = name ? nearest_option(command, name) : NULL;
    const char *space = command ? " " : "";
    const char *of = command ? command->name : "";

    if (nearest)
        return stay_fail(err, STAY_ERR_USAGE,
                         "unknown option `%s` of `backstay%s%s`, did you mean `--%s`?", shown,
                         space, of, nearest);
    return stay_fail(err, STAY_ERR_USAGE,
                     "unknown option `%s` of `backstay%s%s`; `backstay%s%s --help` lists what "
                     "there is",
                     shown, space, of, space, of);
}

static int read_long(struct parser *parser, const char *argument, struct stay_err *err)
{
    const char *name = argument + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] ? name + len + 1 : NULL;
    stay_auto_str char *shown = stay_memdup(argument, len + 2);
    struct found found;

    if (len == 0 || !find(parser, name, len, &found))
        return fail_unknown_option(parser, shown, shown + 2, err);
    if (found.option->type == STAY_OPTION_FLAG && value)
        return stay_fail(err, STAY_ERR_USAGE, "option `%s` takes no value, and `%s` gives one",
                         shown, argument);
    if (found.option->type == STAY_OPTION_OPTIONAL && value == NULL)
        value = "";
    if (found.option->type != STAY_OPTION_FLAG && value == NULL) {
        if (*parser->next == NULL)
            return stay_fail(err, STAY_ERR_USAGE, "option `%s` needs a value: %s %s", shown, shown,
                             found.option->argument);
        value = *parser->next++;
    }
    return store(&found, value, err);
}

static int read_letters(struct parser *parser, const char *argument, struct stay_err *err)
{
    for (const char *at = argument + 1; *at; at++) {
        const char shown[] = {'-', *at, '\0'};
        struct found found;
        if (!find(parser, at, 0, &found))
            return fail_unknown_option(parser, shown, NULL, err);
        if (found.option->type == STAY_OPTION_FLAG || found.option->type == STAY_OPTION_OPTIONAL) {
            if (store(&found, "", err) < 0)
                return -1;
            continue;
        }
        if (at[1])
            return store(&found, at + 1, err);
        if (*parser->next == NULL)
            return stay_fail(err, STAY_ERR_USAGE, "option `%s` needs a value: %s %s", shown, shown,
                             found.option->argument);
        return store(&found, *parser->next++, err);
    }
    return 0;
}

static int fail_unknown_command(const char *word, struct stay_err *err)
{
    STAY_VEC(const char *) names = {0};

    for (size_t i = 0; stay_commands[i]; i++)
        *stay_vec_push(&names) = stay_commands[i]->name;
    const char *nearest = stay_str_nearest(word, names.items, names.n);
    stay_vec_free(&names);
    if (nearest)
        return stay_fail(err, STAY_ERR_USAGE, "unknown command `%s`, did you mean `%s`?", word,
                         nearest);
    return stay_fail(err, STAY_ERR_USAGE,
                     "unknown command `%s`; `backstay help` lists what there "
                     "is",
                     word);
}

static int fail_second_word(const char *first, const char *second, struct stay_err *err)
{
    stay_auto_buf struct stay_buf words = {0};
    size_t len = strlen(first);

    for (size_t i = 0; stay_commands[i]; i++) {
        const char *name = stay_commands[i]->name;
        if (strncmp(name, first, len) == 0 && name[len] == ' ')
            stay_buf_printf(&words, "%s%s", words.len ? ", " : "", name + len + 1);
    }
    if (second == NULL)
        return stay_fail(err, STAY_ERR_USAGE, "`backstay %s` needs a second word: %s", first,
                         words.data);
    return stay_fail(err, STAY_ERR_USAGE, "unknown command `%s %s`; there are: %s", first, second,
                     words.data);
}

static int read_command(struct parser *parser, const char *word, struct stay_err *err)
{
    struct stay_parsed *out = parser->out;
    const char *second = *parser->next && **parser->next != '-' ? *parser->next : NULL;

    out->command = stay_command_find(word);
    if (out->command == NULL && stay_command_begins(word)) {
        stay_auto_str char *both = stay_strf("%s %s", word, second ? second : "");
        out->command = stay_command_find(both);
        if (out->command == NULL)
            return fail_second_word(word, second, err);
        parser->next++;
    }
    if (out->command == NULL)
        return fail_unknown_command(word, err);
    out->options = stay_calloc(1, out->command->options_size);
    return store_defaults(out->command->options, out->command->n_options, out->options, err);
}

static int check_operands(const struct stay_parsed *parsed, struct stay_err *err)
{
    const struct stay_command *command = parsed->command;

    if (parsed->operands.n < command->least)
        return stay_fail(err, STAY_ERR_USAGE, "an argument is missing: backstay %s %s",
                         command->name, command->operands);
    if (parsed->operands.n > command->most)
        return stay_fail(err, STAY_ERR_USAGE, "one argument too many, `%s`: backstay %s%s%s",
                         parsed->operands.items[command->most], command->name,
                         *command->operands ? " " : "", command->operands);
    return 0;
}

static int check_required(const struct stay_parsed *parsed, struct stay_err *err)
{
    const struct stay_command *command = parsed->command;

    for (size_t i = 0; i < command->n_options; i++) {
        const struct stay_option *option = &command->options[i];
        const char *const *member = (void *)((char *)parsed->options + option->offset);
        if (option->required && option->type == STAY_OPTION_TEXT && *member == NULL)
            return stay_fail(err, STAY_ERR_USAGE, "`backstay %s` needs the option `--%s %s`",
                             command->name, option->name, option->argument);
    }
    return check_operands(parsed, err);
}

int stay_options_parse(struct stay_parsed *out, char *const *argv, struct stay_err *err)
{
    struct parser parser = {.out = out, .next = argv + (*argv ? 1 : 0)};
    bool operands_only = false;

    if (store_defaults(stay_global_options, STAY_GLOBAL_OPTIONS, &out->globals, err) < 0)
        return -1;
    while (*parser.next) {
        const char *argument = *parser.next++;
        int outcome = 0;
        if (!operands_only && strcmp(argument, "--") == 0)
            operands_only = true;
        else if (!operands_only && argument[0] == '-' && argument[1] == '-')
            outcome = read_long(&parser, argument, err);
        else if (!operands_only && argument[0] == '-' && argument[1])
            outcome = read_letters(&parser, argument, err);
        else if (out->command == NULL)
            outcome = read_command(&parser, argument, err);
        else
            *stay_vec_push(&out->operands) = argument;
        if (outcome < 0)
            return -1;
    }
    if (out->command == NULL || out->globals.help || out->globals.version)
        return 0;
    return check_required(out, err);
}

void stay_parsed_free(struct stay_parsed *parsed)
{
    const struct stay_command *command = parsed->command;

    for (size_t i = 0; command && i < command->n_options; i++)
        if (command->options[i].type == STAY_OPTION_LIST) {
            struct stay_texts *texts =
                (void *)((char *)parsed->options + command->options[i].offset);
            stay_vec_free(texts);
        }
    free(parsed->options);
    stay_vec_free(&parsed->operands);
    *parsed = (struct stay_parsed){0};
}
