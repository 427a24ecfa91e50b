/* plugins/shared/preflight.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "preflight.h"

#include "mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct preflight {
    struct backstay_report report;
    const struct backstay_host *host;
    struct backstay_sink *sink;
    char *first; /* what is BAD */
    bool stop;
};

static void take_finding(struct backstay_report *report, int severity, const char *subject,
                         const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

static void take_finding(struct backstay_report *report, int severity, const char *subject,
                         const char *fmt, ...)
{
    struct preflight *preflight = report->ctx;
    char *text;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        abort();
    if (severity == BACKSTAY_WARNING &&
        preflight->sink->warn(preflight->sink, NULL, 0, "%s: %s", subject, text) != 0)
        preflight->stop = true;
    if (severity == BACKSTAY_BAD && preflight->first == NULL)
        preflight->first = plug_strf("%s: %s", subject, text);
    else if (severity == BACKSTAY_BAD)
        preflight->host->log(preflight->host, BACKSTAY_LOG_ERROR, "%s: %s", subject, text);
    free(text);
}

int plug_preflight(const struct backstay_host *host, struct backstay_sink *sink,
                   int (*look)(void *ctx, struct backstay_report *report,
                               struct backstay_error *err),
                   void *ctx, struct backstay_error *err)
{
    struct preflight preflight = {
        .report = {.size = sizeof preflight.report, .ctx = &preflight, .finding = take_finding},
        .host = host,
        .sink = sink};
    int r = look(ctx, &preflight.report, err);

    if (r == 0 && preflight.stop)
        r = host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
    if (r == 0 && preflight.first)
        r = host->fail(host, err, BACKSTAY_ERR_IO, "%s", preflight.first);
    free(preflight.first);
    return r;
}
