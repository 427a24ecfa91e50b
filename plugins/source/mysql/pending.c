/* plugins/source/mysql/pending.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What this version of the plugin refuses to do.
 */
#include "mysql_source.h"

static int refuse(void *self, const char *what, struct backstay_error *err)
{
    const struct my *my = self;

    return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG, "%s: not supported by this version",
                          what);
}

int my_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    (void)report;
    return refuse(self, "check", err);
}
