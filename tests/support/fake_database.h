/* tests/support/fake_database.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fake_database: a source that behaves as a database does, on a folder whose files are tables and
 * whose lines are rows: facts, restores of chosen tables, scratch places. For tests of the host; a
 * real database is tested with its server.
 *
 *     struct fake_database database = {.folder = "/tmp/x/db", .scratch_parent = "/tmp/x"};
 *     stay_source_wrap("db", "fake", fake_database_ops(), &database);
 *
 * Facts: `table:NAME:rows`, `table:NAME:digest@VERSION`, `count:tables`. Restore options: `table`
 * (a list), `schema_only`, `replace`. A location is a folder, as it is or as
 * fake://USER:PASSWORD@HOST/FOLDER.
 *
 * Layer: tests. Uses: the C library and the plugin ABI only, so that it can be a plugin.
 * Thread-safety: one thread.
 */
#pragma once

#include <backstay/plugin.h>

struct fake_database {
    const char *folder;               /* of the live database */
    const char *scratch_parent;       /* where scratch places are made */
    const char *version;              /* in the names of digests; NULL: "1" */
    const char *misbehave;            /* one of the words in fake_database.c; NULL or "": nothing */
    const struct backstay_host *host; /* NULL: it cannot be cancelled */
};

const struct backstay_source *fake_database_ops(void);
