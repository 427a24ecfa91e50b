/* tests/support/fake_host.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/fake_host.h"

#include <stdarg.h>
#include <stdio.h>

static void host_log(const struct backstay_host *abi, int level, const char *fmt, ...)
    BACKSTAY_PRINTF(3, 4);

static void host_log(const struct backstay_host *abi, int level, const char *fmt, ...)
{
    struct fake_host *host = abi->ctx;
    char text[2048];
    va_list ap;

    if (level > BACKSTAY_LOG_NOTE)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    stay_buf_printf(&host->log, "%s\n", text);
}

static int host_fail(const struct backstay_host *abi, struct backstay_error *err, int kind,
                     const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

static int host_fail(const struct backstay_host *abi, struct backstay_error *err, int kind,
                     const char *fmt, ...)
{
    va_list ap;

    (void)abi;
    err->kind = kind;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

static int host_cancelled(const struct backstay_host *abi)
{
    const struct fake_host *host = abi->ctx;

    return host->cancelled;
}

void fake_host_init(struct fake_host *host)
{
    *host = (struct fake_host){.abi = {.size = sizeof host->abi,
                                       .abi = BACKSTAY_ABI,
                                       .name = "db",
                                       .jobs = 2,
                                       .ctx = host,
                                       .log = host_log,
                                       .fail = host_fail,
                                       .cancelled = host_cancelled}};
}

void fake_host_free(struct fake_host *host)
{
    stay_buf_free(&host->log);
}
