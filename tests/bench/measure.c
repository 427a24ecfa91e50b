/* tests/bench/measure.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * measure REPORT COMMAND...: runs a command and writes "seconds user system peak_kib own_kib
 * status" to REPORT: peak_kib of the largest process, own_kib of the one that COMMAND is. A program
 * of its own because a child inherits the peak memory of the process that starts it: Python's would
 * hide that of a small tool.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec own_memory_interval = {.tv_nsec = 10 * 1000 * 1000};

/* How long daemons that the command left may take to end until their CPU time is not counted. */
static const double orphans_limit_seconds = 5;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The kernel forgets this figure when the process exits, and rusage has it with that of the
 * process's children together only. Returns 0 when it is gone. */
static long memory_peak_kib(pid_t pid)
{
    char path[64];
    char line[256];
    long peak = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file) && sscanf(line, "VmHWM: %ld kB", &peak) != 1)
        continue;
    fclose(file);
    return peak;
}

/* Waits for @child. Returns the peak of its own memory in @own_kib, or -1. */
static int await(pid_t child, int *status, struct rusage *used, long *own_kib)
{
    sigset_t ended;
    pid_t pid;

    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    *own_kib = 0;
    while ((pid = wait4(child, status, WNOHANG, used)) == 0) {
        long peak = memory_peak_kib(child);
        *own_kib = peak > *own_kib ? peak : *own_kib;
        sigtimedwait(&ended, NULL, &own_memory_interval);
    }
    return pid == child ? 0 : -1;
}

/* A server that the command started in the background is our child once its parent has ended. */
static void await_orphans(void)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    double limit = now() + orphans_limit_seconds;
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && now() < limit)
        if (pid == 0)
            nanosleep(&pause, NULL);
}

static int report(const char *path, double wall, const struct rusage *used, long own_kib,
                  int status)
{
    struct rusage all;
    FILE *file = fopen(path, "w");

    getrusage(RUSAGE_CHILDREN, &all);
    if (!file) {
        fprintf(stderr, "measure: cannot write %s: %s\n", path, strerror(errno));
        return 125;
    }
    fprintf(file, "%.6f %.6f %.6f %ld %ld %d\n", wall, seconds(all.ru_utime), seconds(all.ru_stime),
            used->ru_maxrss, own_kib, status);
    if (fclose(file) != 0) {
        fprintf(stderr, "measure: cannot write %s: %s\n", path, strerror(errno));
        return 125;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct rusage used;
    sigset_t ended;
    sigset_t before;
    long own_kib = 0;
    int status = 0;

    if (argc < 3) {
        fputs("usage: measure REPORT COMMAND...\n", stderr);
        return 125;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, &before);
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        /* Whoever ends us ends what we run. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: cannot run %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (child < 0 || await(child, &status, &used, &own_kib) != 0) {
        fprintf(stderr, "measure: cannot start or await %s: %s\n", argv[2], strerror(errno));
        return 125;
    }
    double wall = now() - start;
    await_orphans();
    return report(argv[1], wall, &used, own_kib,
                  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
