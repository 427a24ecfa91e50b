/* src/cli/program.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/program.h"

#include "cli/cli.h"
#include "cli/exit.h"
#include "cli/help.h"
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static enum stay_log_level level_of(const struct stay_globals *globals)
{
    if (globals->debug)
        return STAY_LOG_DEBUG;
    if (globals->verbose)
        return STAY_LOG_INFO;
    return globals->quiet ? STAY_LOG_WARN : STAY_LOG_NOTE;
}

static bool wants_colour(const struct stay_program_world *world, const struct stay_globals *globals)
{
    const char *refused = world->get(world->ctx, "NO_COLOR");
    const char *terminal = world->get(world->ctx, "TERM");

    return !globals->no_color && !globals->json && !(refused && *refused) && terminal &&
           *terminal && isatty(fileno(world->output));
}

/* What a program that reads our JSON gets where there is no result. */
static void report_as_json(struct stay_cli *cli, const struct stay_err *err, int code)
{
    static const char *const origins[] = {
        [STAY_ORIGIN_SELF] = "backstay",
        [STAY_ORIGIN_SOURCE] = "source",
        [STAY_ORIGIN_DESTINATION] = "destination",
    };
    stay_auto_str char *message = stay_strdup(err->text);

    if (!cli->output.json || cli->output.begun)
        return;
    stay_log_redact(message);
    json_t *error = json_object();
    (void)json_object_set_new(error, "kind", json_string(stay_kind_name(err->kind)));
    (void)json_object_set_new(error, "origin", json_string(origins[err->origin]));
    (void)json_object_set_new(error, "message", stay_output_string(message));
    (void)json_object_set_new(error, "exit_code", json_integer(code));
    json_t *object = json_object();
    (void)json_object_set_new(object, "error", error);
    if (stay_output_json(&cli->output, object, NULL) < 0)
        stay_log(STAY_LOG_ERROR, "the error could not be written as JSON");
}

static int fail_run(struct stay_cli *cli, const struct stay_err *err)
{
    int code = stay_exit_code(err, atomic_load(&cli->cancel.signal));

    stay_log(STAY_LOG_ERROR, "%s", err->text);
    report_as_json(cli, err, code);
    return code;
}

static int run_command(struct stay_cli *cli, const struct stay_parsed *parsed)
{
    struct stay_err err = {0};
    int code = parsed->command->run(cli, parsed->options, &err);

    if (code < 0)
        code = fail_run(cli, &err);
    if (stay_output_finish(&cli->output, &err) == 0)
        return code;
    if (errno == EPIPE)
        return STAY_EXIT_SIGNAL + SIGPIPE;
    stay_log(STAY_LOG_ERROR, "%s", err.text);
    return code ? code : STAY_EXIT_FAILURE;
}

static int run_parsed(struct stay_cli *cli, const struct stay_parsed *parsed)
{
    if (parsed->globals.help) {
        if (parsed->command)
            stay_help_command(cli->output.to, parsed->command);
        else
            stay_help_program(cli->output.to);
        return STAY_EXIT_OK;
    }
    if (parsed->globals.version) {
        (void)fprintf(cli->output.to, "backstay %s\n", BACKSTAY_VERSION);
        return STAY_EXIT_OK;
    }
    if (parsed->command == NULL) {
        stay_help_program(cli->messages);
        return STAY_EXIT_USAGE;
    }
    return run_command(cli, parsed);
}

int stay_program_run(char *const *argv, const struct stay_program_world *world)
{
    stay_auto_parsed struct stay_parsed parsed = {0};
    struct stay_err err = {0};
    int understood = stay_options_parse(&parsed, argv, &err);
    struct stay_cli cli = {
        .globals = &parsed.globals,
        .operands = &parsed.operands,
        .resolver = {.get = world->get, .ctx = world->ctx, .cancel = &cli.cancel},
        .output = {.to = world->output,
                   .json = parsed.globals.json,
                   .quiet = parsed.globals.quiet,
                   .colour = wants_colour(world, &parsed.globals)},
        .messages = world->messages,
    };

    stay_log_setup(world->messages,
                   parsed.globals.log_format == STAY_LOG_JSON ? STAY_LOG_JSON : STAY_LOG_TEXT,
                   level_of(&parsed.globals));
    if (world->signals)
        stay_signals_catch(&cli.cancel);
    int code = understood < 0 ? fail_run(&cli, &err) : run_parsed(&cli, &parsed);
    (void)fflush(world->output);
    stay_cli_release(&cli);
    if (world->signals)
        stay_signals_release();
    stay_log_reset();
    return code;
}
