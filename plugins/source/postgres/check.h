/* plugins/source/postgres/check.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * check: what stands between a source and a whole backup, with the statements that would mend it.
 *
 * pg_check() of postgres.h is for people: it adds advice about the server (encryption, archive,
 * slots, collations) that no backup depends on.
 *
 * Thread-safety: one thread.
 */
#pragma once

#include "conn.h"

/**
 * Looks at every database that the options choose. Findings of severity BAD say why a backup would
 * fail or lack rows; WARNINGs name what will not be in it. Takes no locks and changes nothing.
 *
 * @return 0 when it could look, whatever it found; -1 with @err when it could not.
 */
int pg_preflight(struct pg *pg, struct backstay_report *report, struct backstay_error *err)
    __attribute__((warn_unused_result));
