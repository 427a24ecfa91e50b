/* plugins/source/postgres/load_binary.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * load_binary: rows in COPY's text format turned into its binary format, which a server takes in
 * less time: for columns of types whose binary form is the same in every version and simple. What
 * is stored stays text; a row with anything unusual in it is refused, and its table loaded as text.
 *
 * Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "conn.h"

#include <stdint.h>

/** How the text of a column becomes binary. */
enum pg_form {
    PG_FORM_NONE, /* not at all */
    PG_FORM_BOOL,
    PG_FORM_INT2,
    PG_FORM_INT4,
    PG_FORM_INT8,
    PG_FORM_OID,
    PG_FORM_FLOAT4,
    PG_FORM_FLOAT8,
    PG_FORM_NUMERIC,
    PG_FORM_TEXT,
    PG_FORM_JSONB,
    PG_FORM_BYTES,
    PG_FORM_UUID,
    PG_FORM_DATE,
    PG_FORM_TIMESTAMP,
    PG_FORM_TIMESTAMPTZ
};

struct pg_binary {
    enum pg_form *forms;
    size_t n;
    struct plug_bytes out;  /* to be sent, then cut to 0 */
    struct plug_bytes rest; /* the beginning of a row */
    struct plug_bytes cell;
};

/**
 * Finds out the types of the columns @columns (as in tables.json) of @qualified.
 *
 * @return 0, release with pg_binary_free(); 1: it has a column that has no form; -1 with @err.
 */
int pg_binary_begin(struct pg_binary *binary, struct pg_conn *conn, const char *qualified,
                    const char *columns, struct backstay_error *err)
    __attribute__((warn_unused_result));
void pg_binary_free(struct pg_binary *binary);

/** Begins the stream anew: its header goes to out. */
void pg_binary_start(struct pg_binary *binary);

/** Turns @len bytes of text into out. @return 0, or 1: they have something unusual. */
int pg_binary_add(struct pg_binary *binary, const char *data, size_t len)
    __attribute__((warn_unused_result));

/** Ends the stream. @return 0, or 1: the text did not end with a row. */
int pg_binary_end(struct pg_binary *binary) __attribute__((warn_unused_result));

/* ---- load_value.c */

/** Appends the value of a cell that is not NULL, with its length before it. @return 0, or 1. */
int pg_binary_value(struct plug_bytes *out, enum pg_form form, const char *text, size_t len)
    __attribute__((warn_unused_result));
