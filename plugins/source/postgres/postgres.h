/* plugins/source/postgres/postgres.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * postgres: one configured server with its databases, and what can be done with it.
 *
 * Thread-safety: an instance does not change once opened; one call at a time uses it.
 */
#pragma once

#include "mem.h"
#include "options.h"

#include <backstay/plugin.h>

#include <jansson.h>
#include <stdbool.h>

enum { PG_OLDEST = 13, PG_NEWEST = 18 }; /* server majors that the tests run against */

struct pg_patterns {
    const char *const *items; /* borrowed from the host */
    size_t n;
};

/** A database that pg_restore() made: the probe that follows looks at it. */
struct pg_copy {
    char *prefix;   /* of its facts: "", or "shop/" where the snapshot has several databases */
    char *database; /* its name now */
};

struct pg {
    const struct backstay_host *host;
    const char
        *url; /* a URL or a keyword string; NULL: host, port, ... below, or the environment */
    const char *server_host;
    const char *port;
    const char *user;
    const char *password;
    const char *database;
    struct pg_patterns databases; /* further ones; "all" */
    struct pg_patterns schemas;
    struct pg_patterns exclude_schemas;
    struct pg_patterns tables;
    struct pg_patterns exclude_tables;
    struct pg_patterns structure_only;
    unsigned jobs;
    int64_t lock_timeout_ns;
    int64_t abort_when_blocking_ns; /* 0: never */
    int64_t split_bytes;            /* tables above this are read in ranges of it */
    bool globals;
    const char *bin;            /* folder of the client programs, or NULL: search */
    const char *scratch_bin;    /* folder of the server's programs, or NULL: search */
    const char *scratch_server; /* URL of a server to make scratch databases on, or NULL */
    const char *scratch_folder; /* where scratch instances live, or NULL */
    const char *scratch_user;   /* who runs them when we are root, or NULL */
    int64_t scratch_time_ns;
    int64_t scratch_space_bytes;
    struct pg_copy *copies; /* of the last restore */
    size_t n_copies;
    char **chosen; /* labels: what the last restore loaded of certain tables */
    size_t n_chosen;
    size_t chosen_cap;
};

int pg_backup(void *self, struct backstay_sink *sink, struct backstay_error *err);
int pg_restore(void *self, const struct backstay_target *target, struct backstay_feed *feed,
               struct backstay_error *err);
int pg_check(void *self, struct backstay_report *report, struct backstay_error *err);
int pg_probe(void *self, const struct backstay_target *target, struct backstay_report *report,
             struct backstay_error *err);
int pg_covers(void *self, const struct backstay_target *target, const char *fact);

/**
 * pg_restore() says which of @tables, the content of tables.json, it has loaded: those with
 * "wanted" (a partitioned table that was asked for has many). Forgotten by pg_copies_clear().
 */
void pg_covers_note(struct pg *pg, const json_t *tables);

/** pg_restore() says which databases it made; see struct pg_copy. */
void pg_copies_add(struct pg *pg, const char *prefix, const char *database);
void pg_copies_clear(struct pg *pg);

int pg_scratch_create(void *self, struct backstay_scratch *out, struct backstay_error *err);
int pg_scratch_remove(void *self, const struct backstay_scratch *scratch,
                      struct backstay_error *err);
