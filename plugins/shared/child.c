/* plugins/shared/child.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 4096, READ_BYTES = 65536, POLL_MS = 100, PATIENCE = 50 };

struct pipes {
    int out[2];
    int err[2];
};

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        pair[i] = -1;
    }
}

static int fail(const struct plug_child *child, struct backstay_error *err, const char *what)
{
    return child->host->fail(child->host, err, BACKSTAY_ERR_IO, "%s %s: %s", what, child->argv[0],
                             strerrordesc_np(errno));
}

/* ---- the child's side: only what is safe after fork(2) in a process with threads */

/* A network of its own, in which there is nothing but itself. Where the machine does not allow
 * that, as in most containers, the child keeps ours. */
static void cut_network(void)
{
    struct ifreq loopback = {.ifr_name = "lo"};
    int fd = unshare(CLONE_NEWNET) == 0 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0)
        return;
    if (ioctl(fd, SIOCGIFFLAGS, &loopback) == 0) {
        loopback.ifr_flags |= IFF_UP;
        (void)ioctl(fd, SIOCSIFFLAGS, &loopback);
    }
    close(fd);
}

static void become(const struct plug_child *child)
{
    if (child->no_network)
        cut_network();
    if (child->as_user &&
        (setgroups(0, NULL) != 0 || setresgid(child->gid, child->gid, child->gid) ||
         setresuid(child->uid, child->uid, child->uid)))
        _exit(126);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || (child->as_user && chdir("/") != 0))
        _exit(126);
    if (child->close_group)
        (void)setpgid(0, 0);
}

static void __attribute__((noreturn))
run(const struct plug_child *child, struct pipes *pipes, char *const *env, pid_t parent)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    become(child);
    if (getppid() != parent)
        _exit(126);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(null, 0) < 0 || dup2(child->output ? pipes->out[1] : null, 1) < 0 ||
        dup2(pipes->err[1], 2) < 0)
        _exit(126);
    /* What somebody opened without O_CLOEXEC may be a lock that a server would hold for hours. */
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(child->argv[0], (char *const *)child->argv, env);
    _exit(127);
}

/* ---- our side */

static size_t name_len(const char *pair)
{
    return strcspn(pair, "=");
}

static char **make_env(const char *const *added, int only)
{
    size_t n = 0;
    size_t k = 0;

    while (!only && environ[n])
        n++;
    while (added && added[k])
        k++;
    char **env = plug_alloc(n + k + 1, sizeof *env);
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < k && (name_len(added[j]) != name_len(environ[i]) ||
                         strncmp(added[j], environ[i], name_len(added[j])) != 0))
            j++;
        if (j == k)
            env[to++] = environ[i];
    }
    for (size_t i = 0; i < k; i++)
        env[to++] = (char *)(uintptr_t)added[i];
    return env;
}

static void keep_said(struct plug_bytes *said, const char *data, size_t len)
{
    plug_bytes_add(said, data, len);
    if (said->len > SAID_MAX) {
        size_t drop = said->len - SAID_MAX;
        memmove(said->data, said->data + drop, SAID_MAX);
        plug_bytes_cut(said, SAID_MAX);
    }
}

/* Reads what is there. @return 1: more may come; 0: the end; -1: output() wants to stop. */
static int drain(struct plug_child *child, int fd, int is_output, char *buffer)
{
    ssize_t n = read(fd, buffer, READ_BYTES);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n == 0)
        return 0;
    if (!is_output)
        keep_said(&child->said, buffer, (size_t)n);
    else if (child->output(child->ctx, buffer, (size_t)n) != 0)
        return -1;
    return 1;
}

/* @return 0: both ended; -1: to be stopped; 1: the host cancelled. */
static int pump(struct plug_child *child, struct pipes *pipes)
{
    PLUG_AUTO_FREE char *buffer = plug_alloc(READ_BYTES, 1);
    struct pollfd fds[2] = {{.fd = child->output ? pipes->out[0] : -1, .events = POLLIN},
                            {.fd = pipes->err[0], .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int ready = poll(fds, 2, POLL_MS);
        if (child->host->cancelled(child->host))
            return 1;
        if (child->stopped && child->stopped(child->ctx))
            return -1;
        for (int i = 0; i < 2 && ready > 0; i++) {
            if (fds[i].fd < 0 || fds[i].revents == 0)
                continue;
            int more = drain(child, fds[i].fd, i == 0, buffer);
            if (more < 0)
                return -1;
            if (more == 0)
                fds[i].fd = -1;
        }
    }
    return 0;
}

/* What a script has started may take its time, and still write, when the script itself is gone. */
static void end_group(pid_t group)
{
    for (int i = 0; i < PATIENCE && kill(-group, SIGKILL) == 0; i++)
        (void)poll(NULL, 0, POLL_MS);
}

static void end(struct plug_child *child, pid_t pid, int asked)
{
    for (int i = 0; asked; i++) {
        (void)kill(child->close_group ? -pid : pid, i < PATIENCE ? SIGTERM : SIGKILL);
        if (waitpid(pid, &child->status, WNOHANG) == pid) {
            if (child->close_group)
                end_group(pid);
            return;
        }
        (void)poll(NULL, 0, POLL_MS);
    }
    while (waitpid(pid, &child->status, 0) < 0 && errno == EINTR)
        continue;
}

static int finish(struct plug_child *child, struct pipes *pipes, pid_t pid,
                  struct backstay_error *err)
{
    int why = pump(child, pipes);

    close_pair(pipes->out);
    close_pair(pipes->err);
    end(child, pid, why != 0);
    if (why > 0)
        return child->host->fail(child->host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    if (why < 0)
        return -1;
    if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 127 && child->said.len == 0)
        return child->host->fail(child->host, err, BACKSTAY_ERR_CONFIG,
                                 "run %s: it cannot be started; is it there and executable?",
                                 child->argv[0]);
    return WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0 ? 0 : 1;
}

int plug_child_run(struct plug_child *child, struct backstay_error *err)
{
    PLUG_AUTO_FREE char **env = make_env(child->env, child->only_env);
    struct pipes pipes = {{-1, -1}, {-1, -1}};
    pid_t parent = getpid();

    if (pipe2(pipes.out, O_CLOEXEC) != 0 || pipe2(pipes.err, O_CLOEXEC) != 0) {
        close_pair(pipes.out);
        return fail(child, err, "make pipes for");
    }
    pid_t pid = fork();
    if (pid == 0)
        run(child, &pipes, env, parent);
    if (pid < 0) {
        close_pair(pipes.out);
        close_pair(pipes.err);
        return fail(child, err, "start");
    }
    close(pipes.out[1]);
    close(pipes.err[1]);
    pipes.out[1] = pipes.err[1] = -1;
    return finish(child, &pipes, pid, err);
}

char *plug_child_why(const struct plug_child *child)
{
    if (child->said.len) {
        char *text = plug_strdup(child->said.data);
        size_t len = strlen(text);
        while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
            text[--len] = '\0';
        for (size_t i = 0; i < len; i++)
            if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
                text[i] = ' ';
        return text;
    }
    if (WIFSIGNALED(child->status))
        return plug_strf("it was ended by signal %d", WTERMSIG(child->status));
    return plug_strf("it ended with exit code %d", WEXITSTATUS(child->status));
}
