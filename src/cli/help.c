/* src/cli/help.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/help.h"

#include "cli/exit.h"
#include "cli/options.h"
#include "model/config.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS = 80, NAMES_WIDTH = 16, OPTIONS_INDENT = 26 };

void stay_help_wrap(FILE *to, const char *text, int indent)
{
    int column = indent;

    while (*text) {
        size_t len = strcspn(text, " \n");
        if (column > indent && column + 1 + (int)len > COLUMNS) {
            (void)fprintf(to, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(to, "%s%.*s", column > indent ? " " : "", (int)len, text);
        text += len;
        for (; *text == '\n'; text++) {
            (void)fprintf(to, "\n%*s", text[1] == '\n' ? 0 : indent, "");
            column = indent;
        }
        while (*text == ' ')
            text++;
    }
    (void)fputc('\n', to);
}

static void show_option(FILE *to, const struct stay_option *option)
{
    char letter[] = "    ";
    bool optional = option->type == STAY_OPTION_OPTIONAL;
    stay_auto_str char *help = stay_strf(
        "%s%s%s%s", option->help, option->default_text ? " (default: " : "",
        option->default_text ? option->default_text : "", option->default_text ? ")" : "");

    if (option->letter)
        (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
    int width = fprintf(to, "  %s--%s%s%s%s", letter, option->name,
                        option->argument ? (optional ? "[=" : " ") : "",
                        option->argument ? option->argument : "", optional ? "]" : "");
    if (width + 2 > OPTIONS_INDENT)
        (void)fprintf(to, "\n%*s", OPTIONS_INDENT, "");
    else
        (void)fprintf(to, "%*s", OPTIONS_INDENT - width, "");
    stay_help_wrap(to, help, OPTIONS_INDENT);
}

static void show_options(FILE *to, const char *title, const struct stay_option *options, size_t n)
{
    if (n == 0)
        return;
    (void)fprintf(to, "\n%s:\n", title);
    for (size_t i = 0; i < n; i++)
        show_option(to, &options[i]);
}

void stay_help_program(FILE *to)
{
    const char *group = "";

    (void)fputs("Usage: backstay [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
                "Backs up files and databases, restores them, and proves that it can.\n",
                to);
    for (size_t i = 0; stay_commands[i]; i++) {
        const struct stay_command *command = stay_commands[i];
        if (strcmp(group, command->group) != 0)
            (void)fprintf(to, "\n%s:\n", command->group);
        group = command->group;
        (void)fprintf(to, "  %-*s", NAMES_WIDTH, command->name);
        stay_help_wrap(to, command->summary, NAMES_WIDTH + 2);
    }
    show_options(to, "Options of every command", stay_global_options, STAY_GLOBAL_OPTIONS);
    (void)fputs("\nMore: `backstay help COMMAND | configuration | exit-codes`\n", to);
}

void stay_help_command(FILE *to, const struct stay_command *command)
{
    (void)fprintf(to, "Usage: backstay %s [OPTION...]%s%s\n\n%c%s.\n", command->name,
                  *command->operands ? " " : "", command->operands, toupper(command->summary[0]),
                  command->summary + 1);
    if (command->description) {
        (void)fputc('\n', to);
        stay_help_wrap(to, command->description, 0);
    }
    show_options(to, "Options", command->options, command->n_options);
    show_options(to, "Options of every command", stay_global_options, STAY_GLOBAL_OPTIONS);
}

void stay_help_exit_codes(FILE *to)
{
    (void)fputs("Exit codes:\n", to);
    for (size_t i = 0; i < STAY_EXIT_ROWS; i++) {
        (void)fprintf(to, "  %3d  ", (int)stay_exit_rows[i].code);
        stay_help_wrap(to, stay_exit_rows[i].meaning, 7);
    }
}

static void show_key(FILE *to, const struct stay_config_key *key)
{
    stay_auto_str char *help =
        stay_strf("%s%s%s%s", key->help, key->default_text ? " (default: " : "",
                  key->default_text ? key->default_text : "", key->default_text ? ")" : "");

    (void)fprintf(to, "  %-*s", NAMES_WIDTH, key->name);
    stay_help_wrap(to, help, NAMES_WIDTH + 2);
}

void stay_help_configuration(FILE *to)
{
    (void)fputs("The configuration is one YAML file with these keys:\n", to);
    for (size_t i = 0; i < STAY_CONFIG_KEYS; i++)
        if (stay_config_keys[i].type != STAY_CONFIG_LATER)
            show_key(to, &stay_config_keys[i]);
    (void)fputs("\nThe smallest one:\n"
                "  sources:\n"
                "    media: { type: media, path: /srv/shop/media }\n"
                "  destinations:\n"
                "    local: { type: local, path: /var/backups/backstay }\n"
                "\nA value may be a reference to where the real one is:\n"
                "  env:NAME        a variable of the environment\n"
                "  file:PATH       the content of a file, without the newline at its end\n"
                "  cred:NAME       a credential of systemd (LoadCredential=)\n"
                "  exec:COMMAND    the output of a command, run by sh\n"
                "\n`backstay plugin list` shows the types, `backstay plugin show TYPE` the "
                "options.\n",
                to);
}
