/* src/model/command.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPLAINT_BYTES = 4096, SLICE_MS = 50 };

struct run {
    pid_t pid;
    int out_fd;
    int complaint_fd;
    struct stay_buf *out;
    struct stay_buf complaint; /* the beginning of stderr */
    int64_t end_ns;            /* on the monotonic clock */
};

static int spawn(struct run *run, const char *command, const int out[2], const int complaint[2])
{
    const char *const argv[] = {"sh", "-c", command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t usual;
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, complaint[1], STDERR_FILENO);
    (void)posix_spawnattr_init(&attr);
    /* A group of its own, so that what the shell has started ends with it. */
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawnattr_setsigdefault(&attr, &usual);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    int code = posix_spawn(&run->pid, "/bin/sh", &actions, &attr, (char *const *)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    return code;
}

/* Reads what is there. @return whether the other end is closed. */
static bool drain(int fd, struct stay_buf *to, size_t most)
{
    char piece[4096];
    ssize_t n = read(fd, piece, sizeof piece);

    if (n < 0)
        return errno != EINTR && errno != EAGAIN;
    if (to->len <= most)
        stay_buf_add(to, piece, (size_t)n);
    stay_wipe(piece, sizeof piece);
    return n == 0;
}

/* @return 0, or -1 when it was cancelled or has taken too long. */
static int check_time(const struct run *run, const struct stay_command_limits *limits,
                      struct stay_err *err)
{
    char limit[24];

    if (stay_cancelled(limits->cancel))
        return stay_fail_cancelled(err);
    if (stay_clock_mono(stay_clock_system()) > run->end_ns)
        return stay_fail(err, STAY_ERR_CONFIG, "it took longer than %s",
                         stay_str_elapsed(limit, limits->time_ns));
    return 0;
}

/* Reads both pipes to their ends. @return 0, or -1 when a limit was exceeded. */
static int collect(struct run *run, const struct stay_command_limits *limits, struct stay_err *err)
{
    struct pollfd fds[2] = {{.fd = run->out_fd, .events = POLLIN},
                            {.fd = run->complaint_fd, .events = POLLIN}};
    size_t most = run->out->len + limits->output_bytes;

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int ready = poll(fds, 2, SLICE_MS);
        if (check_time(run, limits, err) < 0)
            return -1;
        if (ready <= 0)
            continue;
        if (fds[0].revents && drain(fds[0].fd, run->out, most))
            fds[0].fd = -1;
        if (fds[1].revents && drain(fds[1].fd, &run->complaint, COMPLAINT_BYTES))
            fds[1].fd = -1;
        if (run->out->len > most)
            return stay_fail(err, STAY_ERR_CONFIG, "it wrote more than %zu bytes",
                             limits->output_bytes);
    }
    return 0;
}

/* The last line that is not empty. */
static const char *last_line(struct stay_buf *text)
{
    while (text->len && (unsigned char)text->data[text->len - 1] <= ' ')
        text->data[--text->len] = '\0';
    const char *line = text->len ? strrchr(text->data, '\n') : NULL;
    return line ? line + 1 : text->len ? text->data : "it wrote nothing to stderr";
}

static int judge(struct run *run, int status, struct stay_err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return stay_fail(err, STAY_ERR_CONFIG, "it exited with %d: %s", WEXITSTATUS(status),
                         last_line(&run->complaint));
    return stay_fail(err, STAY_ERR_CONFIG, "it was ended by signal %d: %s", WTERMSIG(status),
                     last_line(&run->complaint));
}

/* A command may close its output and go on. @return 0, or -1 when a limit was exceeded. */
static int await(struct run *run, const struct stay_command_limits *limits, int *status,
                 struct stay_err *err)
{
    for (;;) {
        pid_t ended = waitpid(run->pid, status, WNOHANG);
        if (ended == run->pid) {
            run->pid = 0;
            return 0;
        }
        if (ended < 0 && errno != EINTR)
            return stay_fail_errno(err, STAY_ERR_IO, "wait for /bin/sh");
        if (check_time(run, limits, err) < 0)
            return -1;
        (void)poll(NULL, 0, 2);
    }
}

static int finish(struct run *run, const struct stay_command_limits *limits, struct stay_err *err)
{
    int status = 0;

    run->end_ns = stay_clock_mono(stay_clock_system()) + limits->time_ns;
    if (collect(run, limits, err) == 0 && await(run, limits, &status, err) == 0)
        return judge(run, status, err);
    (void)kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return -1;
}

int stay_command_output(struct stay_buf *out, const char *command,
                        const struct stay_command_limits *limits, struct stay_err *err)
{
    struct run run = {.out = out};
    int output[2];
    int complaint[2];

    if (pipe2(output, O_CLOEXEC) != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "make a pipe");
    if (pipe2(complaint, O_CLOEXEC) != 0) {
        (void)close(output[0]);
        (void)close(output[1]);
        return stay_fail_errno(err, STAY_ERR_IO, "make a pipe");
    }
    int code = spawn(&run, command, output, complaint);
    (void)close(output[1]);
    (void)close(complaint[1]);
    stay_auto_fd int out_end = output[0];
    stay_auto_fd int complaint_end = complaint[0];
    if (code != 0)
        return stay_fail(err, STAY_ERR_IO, "start /bin/sh: %s", strerror(code));
    run.out_fd = out_end;
    run.complaint_fd = complaint_end;
    int outcome = finish(&run, limits, err);
    stay_buf_free(&run.complaint);
    return outcome;
}
