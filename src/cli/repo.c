/* src/cli/repo.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/repo.h"

#include <time.h>
#include <unistd.h>

/* Reading works without a place for caches: a colleague without rights on the state folder, or a
 * machine that only exists to restore. */
static void find_folders(struct stay_cli *cli, struct stay_repo *repo)
{
    stay_auto_str char *folder = stay_strf("%s/cache", cli->config->state_dir);
    struct stay_err err = {0};

    if (stay_fs_mkdirs(folder, 0700, &err) == 0 && access(folder, W_OK) == 0) {
        repo->cache = stay_strf("%s/%s.index", folder, repo->repository->id);
        repo->scratch = stay_steal(&folder);
        return;
    }
    const char *temporary = cli->resolver.get(cli->resolver.ctx, "TMPDIR");
    repo->scratch = stay_strdup(temporary && *temporary ? temporary : "/tmp");
    stay_log(STAY_LOG_INFO, "no local cache: %s", err.text);
}

int stay_repo_open(struct stay_cli *cli, const char *destination, struct stay_repo *out,
                   struct stay_err *err)
{
    *out = (struct stay_repo){0};
    if (stay_cli_open_dest(cli, destination, false, &out->dest, err) < 0 ||
        stay_repository_open(&out->repository, out->dest, err) < 0)
        return -1;
    find_folders(cli, out);
    return 0;
}

void stay_repo_close(struct stay_repo *repo)
{
    stay_repository_free(repo->repository);
    stay_dest_free(repo->dest);
    free(repo->cache);
    free(repo->scratch);
    *repo = (struct stay_repo){0};
}

int stay_repo_view(struct stay_cli *cli, const struct stay_repo *repo, const char *spec,
                   struct stay_view **out, struct stay_err *err)
{
    return stay_view_open(out, repo->repository, spec, (unsigned)cli->config->threads,
                          repo->scratch, err);
}

char *stay_repo_time(char out[static 40], int64_t wall_ns)
{
    time_t s = (time_t)(wall_ns / STAY_NS_PER_S);
    struct tm tm;

    (void)gmtime_r(&s, &tm);
    (void)strftime(out, 40, "%Y-%m-%d %H:%M:%S", &tm);
    return out;
}
