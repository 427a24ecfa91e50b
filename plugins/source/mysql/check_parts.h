/* plugins/source/mysql/check_parts.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of a check share: who asks, what is looked at, and how it is said.
 *
 * Thread-safety: one thread.
 */
#pragma once

#include "check.h"
#include "snapshot.h"

struct my_look {
    const struct my *my;
    struct my_conn *conn;
    struct backstay_report *report;
    const char *prefix; /* "shop: " before each subject, "" when there is one database */
    bool advice;        /* a person asks, no backup */
    char *account;      /* as SQL: 'backstay'@'%' */
    char *grants;       /* lines of SHOW GRANTS */
    enum my_way ways[4];
    int n_ways;
    struct my_database database; /* the one being looked at */
    struct my_tables tables;     /* of it */
};

/** Reports a finding. */
void my_look_say(const struct my_look *look, int severity, const char *subject, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));

/** Names for a message: the first few, and how many there are. Zero-initialise. */
struct my_names {
    struct plug_bytes text;
    size_t n;
};
void my_names_add(struct my_names *names, const char *name);

/** "shop.a, shop.b and 7 more"; ends the list. Borrowed. */
const char *my_names_text(struct my_names *names);
void my_names_free(struct my_names *names);
#define MY_AUTO_NAMES __attribute__((cleanup(my_names_free)))

/** Whether @grants give @right on all of @database (NULL: of the server) or more. */
bool my_look_grants(const char *grants, const char *right, const char *database);

/* The parts. Each answers 0, or -1 with @err when a query of its own failed. */

/** Connection, versions, the way to one state; fills in the account's members. Once. */
int my_look_server(struct my_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Binary log, settings, accounts: once. */
int my_look_state(const struct my_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** What the account may not read. */
int my_look_rights(const struct my_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** Tables and other objects of which something is to be known. */
int my_look_objects(const struct my_look *look, struct backstay_error *err)
    __attribute__((warn_unused_result));
