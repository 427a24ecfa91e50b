/* plugins/source/postgres/tool.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tool.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian, the upstream RPMs, a build from source. */
static const char *const layouts[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
                                      "/usr/local/pgsql/bin", "/opt/postgresql*/bin"};

struct version_text {
    char text[128];
    size_t len;
};

static int keep_text(void *ctx, const void *data, size_t len)
{
    struct version_text *out = ctx;
    size_t n = PLUG_MIN(len, sizeof out->text - 1 - out->len);

    memcpy(out->text + out->len, data, n);
    out->len += n;
    return 0;
}

/* "pg_dump (PostgreSQL) 15.18 (Debian ...)", also "17beta1". @return 150018, or 0. */
static int parse_version(const char *text)
{
    const char *at = strchr(text, ')');
    char *end;

    if (at == NULL)
        return 0;
    long major = strtol(at + 1, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major >= 10 && major < 100 && minor >= 0 && minor < 10000 ? (int)(major * 10000 + minor)
                                                                     : 0;
}

static int version_of(const struct backstay_host *host, const char *path)
{
    const char *const argv[] = {path, "--version", NULL};
    struct version_text text = {.len = 0};
    struct plug_child child = {.argv = argv, .host = host, .output = keep_text, .ctx = &text};
    struct backstay_error why = {.size = sizeof why};
    int r = plug_child_run(&child, &why);

    plug_bytes_free(&child.said);
    return r == 0 ? parse_version(text.text) : 0;
}

static void consider(struct pg_tool *best, const struct backstay_host *host, char *path, int least)
{
    int version = access(path, X_OK) == 0 ? version_of(host, path) : 0;
    int major = version / 10000;
    bool better = best->version == 0 || major < best->major ||
                  (major == best->major && version > best->version);

    if (major >= least && version > 0 && better) {
        free(best->path);
        *best = (struct pg_tool){.path = path, .version = version, .major = major};
        return;
    }
    free(path);
}

static void search_layouts(struct pg_tool *best, const struct backstay_host *host,
                           const char *program, int least)
{
    for (size_t i = 0; i < PLUG_COUNT(layouts); i++) {
        glob_t found;
        if (glob(layouts[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            consider(best, host, plug_strf("%s/%s", found.gl_pathv[k], program), least);
        globfree(&found);
    }
}

static void search_path(struct pg_tool *best, const struct backstay_host *host, const char *program,
                        int least)
{
    const char *path = getenv("PATH");

    while (path && *path) {
        size_t len = strcspn(path, ":");
        if (len > 0)
            consider(best, host, plug_strf("%.*s/%s", (int)len, path, program), least);
        path += len + (path[len] == ':');
    }
}

int pg_tool_find(struct pg_tool *out, const struct backstay_host *host, const char *program,
                 int least, const char *bin, struct backstay_error *err)
{
    struct pg_tool best = {0};

    if (bin) {
        consider(&best, host, plug_strf("%s/%s", bin, program), least);
    } else {
        search_layouts(&best, host, program, least);
        if (best.version == 0)
            search_path(&best, host, program, least);
    }
    if (host->cancelled(host)) {
        pg_tool_free(&best);
        return host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    }
    if (best.version == 0)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "no %s of version %d or newer is in %s; install postgresql-%s-%d or set "
                          "the option \"bin\"",
                          program, least, bin ? bin : "/usr/lib/postgresql/*/bin or $PATH",
                          strcmp(program, "initdb") == 0 ? "server" : "client", least);
    *out = best;
    return 0;
}

void pg_tool_free(struct pg_tool *tool)
{
    free(tool->path);
    *tool = (struct pg_tool){0};
}

static const char **make_argv(const struct pg_tool_run *run, char *dbname)
{
    size_t n = 0;

    while (run->args[n])
        n++;
    const char **argv = plug_alloc(n + 4, sizeof *argv);
    argv[0] = run->tool->path;
    argv[1] = "--no-password";
    argv[2] = dbname;
    memcpy(argv + 3, run->args, n * sizeof *argv);
    return argv;
}

int pg_tool_run(const struct pg_tool_run *run, char **said, struct backstay_error *err)
{
    const struct backstay_host *host = run->conn->host;
    PLUG_AUTO_FREE char *conninfo = pg_conninfo(run->conn, run->database);
    PLUG_AUTO_FREE char *dbname = plug_strf("--dbname=%s", conninfo);
    PLUG_AUTO_FREE char *password = pg_password_env(run->conn);
    PLUG_AUTO_FREE const char **argv = make_argv(run, dbname);
    /* Its messages are read by people and, for a lock that cannot be had, by us: in English. */
    const char *const env[] = {"LC_MESSAGES=C", "LC_ALL=C.UTF-8", password, NULL};
    struct plug_child child = {.argv = argv,
                               .env = env,
                               .host = host,
                               .output = run->output,
                               .stopped = run->stopped,
                               .ctx = run->ctx};
    int r = plug_child_run(&child, err);

    *said = NULL;
    if (r > 0) {
        *said = plug_child_why(&child);
        (void)host->fail(host, err, BACKSTAY_ERR_IO, "%s: %s failed: %s", run->conn->label,
                         run->tool->path, *said);
    }
    plug_bytes_free(&child.said);
    return r;
}
