/* plugins/source/mysql/scratch.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * scratch: throwaway places to restore into: an instance that we start, with databases under their
 * own names; or, with the option scratch_server, databases of ours on a server that is there.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "conn.h"

enum my_scratch_kind {
    MY_SCRATCH_NONE,     /* an ordinary target */
    MY_SCRATCH_INSTANCE, /* a server of our own */
    MY_SCRATCH_DATABASES /* on the scratch server */
};

/** What a restore's location means. */
enum my_scratch_kind my_scratch_kind(const char *location);

/**
 * Where to connect for the location of a restore or of a probe, scratch or not: my_place_read()
 * for all of them. It names no database when it is a scratch place.
 *
 * @return 0, release with my_place_free(); -1 with @err (CONFIG).
 */
int my_scratch_place(struct my_place *out, const struct my *my, const char *location,
                     struct backstay_error *err) __attribute__((warn_unused_result));

/** The name that database @name of the snapshot has in a scratch place. Caller frees. */
char *my_scratch_database(const char *location, const char *name);

/**
 * Why the instance of @location is no longer there, when that is so: "it grew larger than ...". To
 * be asked when its connections break. Caller frees; NULL: it is there, or is no instance.
 */
char *my_scratch_ended(const struct my *my, const char *location);

/** How many instances and databases of earlier runs wait to be removed. */
unsigned my_scratch_leftovers(const struct my *my);

/** Tells a preflight whether snapshots of a server's version ("10.11.19-MariaDB") can be restored
 * into a scratch place. */
void my_scratch_look(const struct my *my, const char *version, struct backstay_report *report);

/* ---- its two kinds; scratch.c chooses */

int my_instance_create(const struct my *my, struct backstay_scratch *out,
                       struct backstay_error *err) __attribute__((warn_unused_result));
int my_instance_remove(const struct my *my, const char *marker, struct backstay_error *err)
    __attribute__((warn_unused_result));
unsigned my_instance_reap(const struct my *my, bool count_only);

/** Whether one could be made. @how receives with what, or why not; the caller frees it. */
bool my_instance_possible(const struct my *my, const char *version, char **how);

int my_scratch_server_create(const struct my *my, struct backstay_scratch *out,
                             struct backstay_error *err) __attribute__((warn_unused_result));
int my_scratch_server_remove(const struct my *my, const char *marker, struct backstay_error *err)
    __attribute__((warn_unused_result));
unsigned my_scratch_server_reap(const struct my *my, bool count_only);
bool my_scratch_server_possible(const struct my *my, const char *version, char **how);

/** What locations and markers are made of. */
#define MY_SCRATCH_SOCKET   "backstay-scratch.sock"       /* of an instance */
#define MY_SCRATCH_SCHEME   "backstay-scratch-databases:" /* of the other's location */
#define MY_SCRATCH_DATABASE "backstay_scratch_"           /* how their names begin */

/** The database that a person most likely wants to see, or NULL. Caller frees. */
char *my_scratch_first_database(const struct my *my);

/* ---- the server of an instance */

/** Which product and series a version text is of. */
struct my_series {
    bool mariadb;
    unsigned major; /* 10; 0: none, the text is no version */
    unsigned minor; /* 11 */
};
struct my_series my_series_of(const char *version);

/** "MariaDB 10.11". Caller frees. */
char *my_series_name(const struct my_series *series);

/** A server's program. */
struct my_program {
    char *path;    /* as it was found */
    char *base;    /* the folder that its other files are below: "/usr" */
    char *version; /* "10.11.19-MariaDB-0+deb12u1" */
    struct my_series series;
};

/**
 * Finds a server of the product of @want, of its series or else of the next that is newer; with the
 * option `bin`, any of that product that is there. @want->major 0: the newest of any product.
 *
 * @return 0, release with my_program_free(); -1 with @err (CONFIG), which says what to install.
 */
int my_program_find(struct my_program *out, const struct my *my, const struct my_series *want,
                    struct backstay_error *err) __attribute__((warn_unused_result));
void my_program_free(struct my_program *program);
