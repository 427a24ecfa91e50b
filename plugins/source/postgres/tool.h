/* plugins/source/postgres/tool.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * tool: which of the installed PostgreSQL programs to use, and running them.
 *
 * Debian and the upstream packages put each major into a folder of its own; the folder of the
 * option and $PATH are looked at, too.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "child.h"
#include "conn.h"

struct pg_tool {
    char *path;  /* of the program */
    int version; /* 150018; 0: none was found */
    int major;
};

/**
 * Finds @program ("pg_dump") of major @least or newer: of @least itself where there is one, since
 * what a newer one writes may not load into an older server, else the oldest that is newer.
 *
 * @bin the only folder to look into, or NULL.
 * @return 0; -1 with @err (CONFIG), which says what to install.
 */
int pg_tool_find(struct pg_tool *out, const struct backstay_host *host, const char *program,
                 int least, const char *bin, struct backstay_error *err)
    __attribute__((warn_unused_result));
void pg_tool_free(struct pg_tool *tool);

/**
 * Runs a client program as @conn is connected; `--dbname` and the password come from it.
 *
 * @args more arguments, ends with NULL. @output and @stopped as of struct plug_child, or NULL.
 * @said receives the end of its messages as one line when the answer is 1; the caller frees it.
 * @return 0; 1 when it failed and @err says why, too; -1 with @err for any other reason.
 */
struct pg_tool_run {
    const struct pg_tool *tool;
    const struct pg_conn *conn;
    const char *database; /* NULL: that of @conn */
    const char *const *args;
    int (*output)(void *ctx, const void *data, size_t len);
    int (*stopped)(void *ctx);
    void *ctx;
};
int pg_tool_run(const struct pg_tool_run *run, char **said, struct backstay_error *err)
    __attribute__((warn_unused_result));
