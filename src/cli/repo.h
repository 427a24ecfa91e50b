/* src/cli/repo.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * repo: what every command that reads a repository begins with: a destination, the repository on
 * it, and the local folders beside it.
 *
 * Layer: cli. Thread-safety: one thread.
 */
#pragma once

#include "cli/cli.h"
#include "engine/view.h"

/** The row of the option that chooses the destination; @S is the command's struct of options. */
#define STAY_OPTION_DESTINATION(S)                                                                 \
    {                                                                                              \
        .name = "destination", .letter = 'd', .type = STAY_OPTION_TEXT,                            \
        .offset = offsetof(S, destination), .argument = "NAME",                                    \
        .help = "which destination to read; without it, the first one"                             \
    }

struct stay_repo {
    struct stay_dest *dest;
    struct stay_repository *repository;
    char *cache;   /* the local index file of this repository; NULL: no place for one */
    char *scratch; /* a folder for temporary files */
};

/** Opens the repository on @destination (NULL: the first one). */
STAY_CHECKED int stay_repo_open(struct stay_cli *cli, const char *destination,
                                struct stay_repo *out, struct stay_err *err);
void stay_repo_close(struct stay_repo *repo);

static inline void stay_repo_close_auto(struct stay_repo *repo)
{
    stay_repo_close(repo);
}

#define stay_auto_repo __attribute__((cleanup(stay_repo_close_auto)))

/** Opens a snapshot of it. */
STAY_CHECKED int stay_repo_view(struct stay_cli *cli, const struct stay_repo *repo,
                                const char *spec, struct stay_view **out, struct stay_err *err);

/** "2026-11-22 02:30:00" in UTC, as times of snapshots are written on the command line. */
char *stay_repo_time(char out[static 40], int64_t wall_ns);
