/* src/cli/cmd_export.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay export: a snapshot as one plain archive.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/meter.h"
#include "cli/repo.h"
#include "engine/export.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

struct export_options {
    const char *destination;
    const char *output;
};

static const struct stay_option export_options[] = {
    {.name = "output",
     .letter = 'o',
     .type = STAY_OPTION_TEXT,
     .offset = offsetof(struct export_options, output),
     .argument = "FILE",
     .help = "write to this file, which must not exist, instead of standard output"},
    STAY_OPTION_DESTINATION(struct export_options),
};

static int open_output(const char *path, int *fd, struct stay_err *err)
{
    if (path) {
        *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return *fd < 0 ? stay_fail_errno(err, STAY_ERR_IO, "create %s", path) : 0;
    }
    if (isatty(STDOUT_FILENO))
        return stay_fail(err, STAY_ERR_USAGE,
                         "an archive would only confuse the terminal: redirect it "
                         "(> snapshot.tar.zst) or use --output FILE");
    *fd = dup(STDOUT_FILENO);
    return *fd < 0 ? stay_fail_errno(err, STAY_ERR_IO, "standard output") : 0;
}

static int run_export(struct stay_cli *cli, const void *given, struct stay_err *err)
{
    const struct export_options *options = given;
    stay_auto_repo struct stay_repo repo = {0};
    stay_auto(stay_view_free) struct stay_view *view = NULL;
    stay_auto(stay_meter_free) struct stay_meter *meter = NULL;
    stay_auto_fd int fd = -1;
    struct stay_progress progress = {.phase = NULL};
    const struct stay_meter_options meter_options = {
        .to = cli->messages, .terminal = stay_cli_on_terminal(cli), .quiet = cli->globals->quiet};

    if (stay_repo_open(cli, options->destination, &repo, err) < 0 ||
        stay_repo_view(cli, &repo, cli->operands->items[0], &view, err) < 0 ||
        open_output(options->output, &fd, err) < 0 ||
        stay_meter_start(&meter, &progress, &meter_options, err) < 0)
        return -1;
    const struct stay_export_options export = {
        .repository = repo.repository,
        .view = view,
        .index_cache = repo.cache,
        .fd = fd,
        .level = (int)cli->config->compression,
        .patterns = {cli->operands->items + 1, cli->operands->n - 1},
        .cancel = &cli->cancel,
        .progress = &progress,
    };
    int rc = stay_export(&export, err);
    if (rc == 0 && options->output && fsync(fd) != 0)
        rc = stay_fail_errno(err, STAY_ERR_IO, "fsync %s", options->output);
    if (rc < 0 && options->output)
        (void)unlink(options->output);
    return rc < 0 ? -1 : STAY_EXIT_OK;
}

const struct stay_command stay_cmd_export = {
    .name = "export",
    .group = "Backup and restore",
    .summary = "write a snapshot as one plain archive (tar, zstd)",
    .operands = "SNAPSHOT [PATTERN...]",
    .description =
        "The archive opens with tar --zstd -xf; owners, times, links, holes and extended "
        "attributes are in it. SNAPSHOT and PATTERN are as for restore.\n\n"
        "An entry that cannot be read ends the export with an error: an archive that lacks "
        "something would pass for a whole one.",
    .options = export_options,
    .n_options = STAY_COUNT(export_options),
    .options_size = sizeof(struct export_options),
    .least = 1,
    .most = STAY_OPERANDS_ANY,
    .run = run_export,
};
