/* tests/conformance/source/server_process.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "server_process.h"

#include "base/fs.h"
#include "support/cmocka.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing of the surroundings decides what a program of a database does. */
static void clear_environment(void)
{
    static const char *const names[] = {
        "PGHOST",     "PGPORT",         "PGUSER",          "PGDATABASE",  "PGDATA",
        "PGPASSWORD", "PGOPTIONS",      "PGSERVICE",       "MYSQL_HOME",  "MYSQL_HOST",
        "MYSQL_PWD",  "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MARIADB_HOME"};

    for (size_t i = 0; i < STAY_COUNT(names); i++)
        (void)unsetenv(names[i]);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
}

/* Becomes the program, with its output in @log. */
static void become(const char *log, const char *const *argv)
{
    if (freopen(log, "a", stdout) == NULL || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
        _exit(126);
    clear_environment();
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

pid_t server_process_start(const char *log, const char *const *argv)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        become(log, argv);
    return pid;
}

void server_process_run(const char *log, const char *const *argv)
{
    int status;
    struct stay_err err = {0};
    struct stay_buf said = {0};

    assert_true(waitpid(server_process_start(log, argv), &status, 0) > 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    (void)!stay_fs_read(&said, log, 1 << 20, &err);
    fail_msg("%s: status %d: %.*s", argv[0], status, (int)said.len, said.data);
}

const char **server_process_as(const char *user, const char *program, const char *const *arguments)
{
    static const char *words[32];
    static char uid[16];
    static char gid[16];
    size_t n = 0;
    const struct passwd *entry = getpwnam(user);

    words[n++] = "/usr/bin/setpriv";
    words[n++] = "--pdeathsig=INT";
    if (geteuid() == 0) {
        if (entry == NULL)
            fail_msg("there is no user %s: install the server's package", user);
        (void)snprintf(uid, sizeof uid, "--reuid=%u", entry->pw_uid);
        (void)snprintf(gid, sizeof gid, "--regid=%u", entry->pw_gid);
        words[n++] = uid;
        words[n++] = gid;
        words[n++] = "--clear-groups";
    }
    words[n++] = "--";
    words[n++] = program;
    while (*arguments)
        words[n++] = *arguments++;
    words[n] = NULL;
    return words;
}
