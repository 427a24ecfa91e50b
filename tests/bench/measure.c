/* tests/bench/measure.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * measure REPORT COMMAND...: runs a command and writes "seconds user system peak_kib status" to
 * REPORT. A program of its own because a child inherits the peak memory of the process that
 * starts it: Python's would hide that of a small tool.
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

static int report(const char *path, double wall, const struct rusage *used, int status)
{
    FILE *file = fopen(path, "w");

    if (!file) {
        fprintf(stderr, "measure: cannot write %s: %s\n", path, strerror(errno));
        return 125;
    }
    fprintf(file, "%.6f %.6f %.6f %ld %d\n", wall, seconds(used->ru_utime), seconds(used->ru_stime),
            used->ru_maxrss, status);
    if (fclose(file) != 0) {
        fprintf(stderr, "measure: cannot write %s: %s\n", path, strerror(errno));
        return 125;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status = 0;

    if (argc < 3) {
        fputs("usage: measure REPORT COMMAND...\n", stderr);
        return 125;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        /* Whoever ends us ends what we run. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: cannot run %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        fprintf(stderr, "measure: cannot start or await %s: %s\n", argv[2], strerror(errno));
        return 125;
    }
    double wall = now() - start;
    return report(argv[1], wall, &used,
                  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
