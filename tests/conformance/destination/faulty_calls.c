/* tests/conformance/destination/faulty_calls.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "faulty_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOUND_FIRST __attribute__((visibility("default")))

FOUND_FIRST ssize_t write(int fd, const void *data, size_t len);
FOUND_FIRST int fsync(int fd);
FOUND_FIRST int close(int fd);
FOUND_FIRST int renameat(int from, const char *old, int to, const char *new);
FOUND_FIRST int renameat2(int from, const char *old, int to, const char *new, unsigned flags);
FOUND_FIRST int linkat(int from, const char *old, int to, const char *new, int flags);
FOUND_FIRST int mkdirat(int folder, const char *name, mode_t mode);
FOUND_FIRST int unlinkat(int folder, const char *name, int flags);

enum { ORDERS = 4 };

struct order {
    const char *name; /* NULL: none */
    unsigned left;    /* calls of @name until then */
    int code;
    bool after;
};

static struct {
    struct order orders[ORDERS];
    unsigned failed;
    unsigned kill_in; /* calls until the end; 0: never */
    bool hinder;
    atomic_uint writes;
    bool note;
    char noted[1024];
} faults;

static struct order *new_order(const char *name, unsigned nth, int code)
{
    struct order *order = faults.orders;

    while (order->name)
        order++;
    *order = (struct order){name, nth, code, false};
    return order;
}

void faulty_calls_fail(const char *name, unsigned nth, int code)
{
    (void)new_order(name, nth, code);
}

void faulty_calls_fail_after(const char *name, int code)
{
    new_order(name, 1, code)->after = true;
}

void faulty_calls_kill(unsigned nth)
{
    faults.kill_in = nth;
}

void faulty_calls_hinder_writes(void)
{
    faults.hinder = true;
}

void faulty_calls_note(void)
{
    faults.noted[0] = '\0';
    faults.note = true;
}

const char *faulty_calls_noted(void)
{
    return faults.noted;
}

unsigned faulty_calls_disarm(void)
{
    unsigned failed = faults.failed;

    memset(faults.orders, 0, sizeof faults.orders);
    faults.failed = 0;
    faults.kill_in = 0;
    faults.hinder = false;
    faults.note = false;
    return failed;
}

static void note(const char *name)
{
    size_t len = strlen(faults.noted);

    (void)snprintf(faults.noted + len, sizeof faults.noted - len, "%s%s", len ? " " : "", name);
}

/* What each call begins with. @return the order that makes it fail, or NULL. */
static const struct order *enter(const char *name)
{
    if (faults.note && strcmp(name, "close") != 0)
        note(name);
    if (faults.kill_in && --faults.kill_in == 0)
        (void)raise(SIGKILL);
    for (size_t i = 0; i < ORDERS; i++) {
        struct order *order = &faults.orders[i];
        if (order->name == NULL || strcmp(order->name, name) != 0 || order->left == 0 ||
            --order->left > 0)
            continue;
        faults.failed++;
        return order;
    }
    return NULL;
}

/* Makes the call, unless @verdict is that it fails instead, and fails where @verdict says so. */
#define OBEY(verdict, call)                                                                        \
    ({                                                                                             \
        const struct order *order_ = (verdict);                                                    \
        long rc_ = order_ && !order_->after ? -1 : (call);                                         \
        if (order_) {                                                                              \
            errno = order_->code;                                                                  \
            rc_ = -1;                                                                              \
        }                                                                                          \
        rc_;                                                                                       \
    })

ssize_t write(int fd, const void *data, size_t len)
{
    if (faults.hinder && atomic_fetch_add(&faults.writes, 1) % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return OBEY(enter("write"),
                syscall(SYS_write, fd, data, faults.hinder && len > 2 ? len / 3 : len));
}

int fsync(int fd)
{
    return (int)OBEY(enter("fsync"), syscall(SYS_fsync, fd));
}

int close(int fd)
{
    const struct order *order = enter("close");
    long rc = syscall(SYS_close, fd); /* always: the descriptor must not leak */

    return (int)OBEY(order, rc);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    return (int)OBEY(enter("renameat2"), syscall(SYS_renameat2, from, old, to, new, flags));
}

int renameat(int from, const char *old, int to, const char *new)
{
    return (int)OBEY(enter("renameat"), syscall(SYS_renameat2, from, old, to, new, 0));
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    return (int)OBEY(enter("linkat"), syscall(SYS_linkat, from, old, to, new, flags));
}

int mkdirat(int folder, const char *name, mode_t mode)
{
    return (int)OBEY(enter("mkdirat"), syscall(SYS_mkdirat, folder, name, mode));
}

int unlinkat(int folder, const char *name, int flags)
{
    return (int)OBEY(enter("unlinkat"), syscall(SYS_unlinkat, folder, name, flags));
}
