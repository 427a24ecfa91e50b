/* src/cli/cli.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * cli: what surrounds a command: the options of the program, output, cancellation, and, on first
 * use, the configuration, the plugins, and the sources and destinations that it names.
 *
 * Layer: cli. Thread-safety: one thread; @cancel may be asked from any.
 */
#pragma once

#include "cli/options.h"
#include "cli/output.h"
#include "model/config.h"
#include "plugin/dest.h"
#include "plugin/loader.h"
#include "plugin/source.h"

struct stay_cli {
    const struct stay_globals *globals;
    const struct stay_texts *operands;
    struct stay_resolver resolver;
    struct stay_output output;
    FILE *messages; /* standard error */
    struct stay_cancel cancel;
    struct stay_config *config; /* NULL until stay_cli_config() */
    struct stay_loader *loader; /* NULL until stay_cli_loader() */
};

/** Releases what was loaded, not the struct. */
void stay_cli_release(struct stay_cli *cli);

/**
 * Finds, reads and resolves the configuration into cli->config; does nothing when that is done.
 * Where several things are wrong with it, each is written to the log.
 */
STAY_CHECKED int stay_cli_config(struct stay_cli *cli, struct stay_err *err);

/** The same, without resolving references, and with all that is wrong in @problems. */
STAY_CHECKED int stay_cli_read_config(struct stay_cli *cli, struct stay_problems *problems,
                                      struct stay_err *err);

/** The plugins in the folder that the configuration names, or in the default folder. */
struct stay_loader *stay_cli_loader(struct stay_cli *cli);

/**
 * Opens the destination @name, or the first one of the configuration when NULL.
 *
 * @create whether the place may be created (init).
 * @return 0; -1: kind USAGE for a name that is not configured, or what went wrong.
 */
STAY_CHECKED int stay_cli_open_dest(struct stay_cli *cli, const char *name, bool create,
                                    struct stay_dest **out, struct stay_err *err);

/** Opens the source @name; NULL: the only one of the configuration. Result as above. */
STAY_CHECKED int stay_cli_open_source(struct stay_cli *cli, const char *name,
                                      struct stay_source **out, struct stay_err *err);

/**
 * Opens a source of the plugin @type that the configuration does not have, to restore with: its
 * option `path` or `url`, where it has one, is @location (NULL: it is not given). For a machine
 * that knows nothing of the source.
 */
STAY_CHECKED int stay_cli_open_source_as(struct stay_cli *cli, const char *name, const char *type,
                                         const char *location, struct stay_source **out,
                                         struct stay_err *err);

/** Whether @option of the plugin @type is a secret; true where that cannot be known. */
bool stay_cli_is_secret(struct stay_cli *cli, const char *kind, const char *type,
                        const char *option);

/** Whether progress should be drawn as a line, and not be reported now and then. */
bool stay_cli_on_terminal(const struct stay_cli *cli);
