/* plugins/source/mysql/mysql_source.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * mysql: one configured MySQL or MariaDB server with its databases, and what can be done with it.
 *
 * Thread-safety: an instance does not change once opened; one call at a time uses it.
 */
#pragma once

#include "mem.h"
#include "options.h"

#include <backstay/plugin.h>

#include <stdbool.h>

struct my_patterns {
    const char *const *items; /* borrowed from the host */
    size_t n;
};

/** How a snapshot over several connections is taken. */
enum my_consistency { MY_AUTO, MY_SNAPSHOT, MY_LOCK };

/** A database that the last restore made, for the probe that follows it. */
struct my_copy {
    char *from; /* its name at the backup, which its facts have */
    char *into;
    bool several; /* the snapshot has several databases, whose facts begin with "FROM/" */
};

struct my {
    const struct backstay_host *host;
    const char *url; /* mysql://user:password@host:port/db?socket=..., or NULL: the members below */
    const char *server_host;
    const char *socket;
    unsigned port; /* 0: the client library's default */
    const char *user;
    const char *password;
    const char *database;
    const char *option_file; /* NULL: ~/.my.cnf, where there is one */
    const char *ssl_ca;
    const char *ssl_cert;
    const char *ssl_key;
    int ssl_verify; /* 1, 0; -1: yes, unless the server is reached by a socket or on loopback */
    struct my_patterns databases; /* further ones; "all" */
    struct my_patterns tables;    /* "db.table" */
    struct my_patterns exclude_tables;
    struct my_patterns structure_only;
    unsigned jobs;
    enum my_consistency consistency;
    int64_t lock_timeout_ns; /* the longest that we wait for a lock, and so stall others */
    int64_t split_bytes;
    bool users;
    const char *bin; /* folder of the server's programs for scratch instances, or NULL: search */
    const char *scratch_server;
    const char *scratch_folder;
    const char *scratch_user;
    int64_t scratch_time_ns;
    int64_t scratch_space_bytes;
    struct my_copy *copies; /* of the last restore */
    size_t n_copies;
};

int my_backup(void *self, struct backstay_sink *sink, struct backstay_error *err);
int my_restore(void *self, const struct backstay_target *target, struct backstay_feed *feed,
               struct backstay_error *err);
int my_check(void *self, struct backstay_report *report, struct backstay_error *err);
int my_probe(void *self, const struct backstay_target *target, struct backstay_report *report,
             struct backstay_error *err);
int my_covers(void *self, const struct backstay_target *target, const char *fact);

/** my_restore() says which databases it made. */
void my_copies_add(struct my *my, const char *from, const char *into, bool several);
void my_copies_clear(struct my *my);

int my_scratch_create(void *self, struct backstay_scratch *out, struct backstay_error *err);
int my_scratch_remove(void *self, const struct backstay_scratch *scratch,
                      struct backstay_error *err);
