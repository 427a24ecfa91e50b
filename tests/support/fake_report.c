/* tests/support/fake_report.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/fake_feed.h"

#include <stdio.h>
#include <string.h>

static void report_finding(struct backstay_report *abi, int severity, const char *subject,
                           const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

static void report_finding(struct backstay_report *abi, int severity, const char *subject,
                           const char *fmt, ...)
{
    struct fake_report *report = abi->ctx;
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *stay_vec_push(&report->findings) = (struct fake_finding){
        .severity = severity, .subject = stay_strdup(subject), .text = stay_strdup(text)};
}

static void report_fact(struct backstay_report *abi, const char *name, const char *value)
{
    struct fake_report *report = abi->ctx;

    stay_map_set(report->facts, name, strlen(name), stay_strdup(value));
}

void fake_report_init(struct fake_report *report)
{
    *report = (struct fake_report){.abi = {.size = sizeof report->abi,
                                           .ctx = report,
                                           .finding = report_finding,
                                           .fact = report_fact},
                                   .facts = stay_map_new(free)};
}

void fake_report_free(struct fake_report *report)
{
    for (size_t i = 0; i < report->findings.n; i++) {
        free(report->findings.items[i].subject);
        free(report->findings.items[i].text);
    }
    stay_vec_free(&report->findings);
    stay_map_free(report->facts);
}

const struct fake_finding *fake_report_finding(const struct fake_report *report,
                                               const char *subject)
{
    for (size_t i = 0; i < report->findings.n; i++)
        if (strcmp(report->findings.items[i].subject, subject) == 0)
            return &report->findings.items[i];
    return NULL;
}
