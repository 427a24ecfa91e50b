/* plugins/source/mysql/check.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * check: what stands between a source and a whole backup, with the statements that would mend it.
 *
 * my_check() of mysql_source.h is for people: it adds advice about the server (encryption, binary
 * log, settings) that no backup depends on.
 *
 * Thread-safety: one thread.
 */
#pragma once

#include "mysql_source.h"

/**
 * Looks at every database that the options choose. Findings of severity BAD say why a backup would
 * fail or lack something; WARNINGs name what will not be in it as it should. Takes no locks and
 * changes nothing.
 *
 * @return 0 when it could look, whatever it found; -1 with @err when it could not.
 */
int my_preflight(struct my *my, struct backstay_report *report, struct backstay_error *err)
    __attribute__((warn_unused_result));
