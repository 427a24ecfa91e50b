/* plugins/source/postgres/large_load.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A large object on its way back.
 */
#include "alter.h"
#include "meta.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20 };

struct load {
    struct pg_conn *conn;
    struct backstay_feed *feed;
    struct backstay_reader *reader;
    uint32_t oid;
    uint64_t bytes; /* so far */
    char *piece;
};

/* @return how many bytes the next piece has; less than PIECE_BYTES at the end; -1 with @err. */
static ssize_t next_piece(const struct load *load, struct backstay_error *err)
{
    const struct backstay_host *host = load->conn->host;
    size_t len = 0;

    while (len < PIECE_BYTES) {
        ssize_t n =
            load->feed->read(load->feed, load->reader, load->piece + len, PIECE_BYTES - len);
        if (n < 0)
            return host->fail(host, err,
                              host->cancelled(host) ? BACKSTAY_ERR_CANCELLED : BACKSTAY_ERR_CORRUPT,
                              "large object %" PRIu32 " cannot be read back", load->oid);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int store_piece(struct load *load, size_t len, struct backstay_error *err)
{
    PLUG_AUTO_FREE char *sql =
        load->bytes == 0
            ? plug_strf("SELECT lo_from_bytea(%" PRIu32 ", $1)", load->oid)
            : plug_strf("SELECT lo_put(%" PRIu32 ", %" PRIu64 ", $1)", load->oid, load->bytes);
    PGresult *rows = pg_query_bytes(load->conn, err, sql, load->piece, len);
    int r = rows ? 0 : -1;

    PQclear(rows);
    load->bytes += len;
    if (r != 0 && pg_error_is(load->conn, "23505"))
        return load->conn->host->fail(load->conn->host, err, BACKSTAY_ERR_CONFIG,
                                      "%s: large object %" PRIu32
                                      " is there already: restore into an empty database",
                                      load->conn->label, load->oid);
    return r;
}

/* An empty object is made from an empty piece. */
static int store_content(struct load *load, struct backstay_error *err)
{
    ssize_t n;

    do {
        n = next_piece(load, err);
        if (n < 0 || ((n > 0 || load->bytes == 0) && store_piece(load, (size_t)n, err) != 0))
            return -1;
    } while (n == PIECE_BYTES);
    return 0;
}

static int describe(const struct load *load, const json_t *object, bool with_owner,
                    struct backstay_error *err)
{
    const char *owner = plug_json_get(object, "owner");
    const char *comment = plug_json_get(object, "comment");
    PLUG_AUTO_FREE char *what = plug_strf("LARGE OBJECT %" PRIu32, load->oid);
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    if (comment[0]) {
        plug_bytes_format(&sql, "COMMENT ON %s IS ", what);
        pg_add_literal(&sql, comment);
        plug_bytes_text(&sql, ";");
    }
    if (with_owner) {
        plug_bytes_format(&sql, "ALTER %s OWNER TO ", what);
        pg_add_ident(&sql, owner);
    }
    if (sql.len && pg_run(load->conn, err, sql.data) != 0)
        return -1;
    return with_owner ? pg_acl_apply(load->conn, what, owner, json_object_get(object, "acl"), err)
                      : 0;
}

static int store(struct load *load, uint64_t index, const json_t *object, bool with_owner,
                 struct backstay_error *err)
{
    const struct backstay_host *host = load->conn->host;

    if (load->feed->open(load->feed, index, &load->reader) != 0)
        return host->fail(host, err, BACKSTAY_ERR_CORRUPT,
                          "large object %" PRIu32 " cannot be read back", load->oid);
    load->piece = plug_alloc(PIECE_BYTES, 1);
    int r = store_content(load, err);
    free(load->piece);
    load->feed->close(load->feed, load->reader);
    return r == 0 ? describe(load, object, with_owner, err) : -1;
}

int pg_large_object_load(struct pg_conn *conn, struct backstay_feed *feed, uint64_t index,
                         const json_t *object, bool with_owner, struct backstay_error *err)
{
    int64_t oid = pg_json_number(object, "oid", 0);
    struct load load = {.conn = conn, .feed = feed, .oid = (uint32_t)oid};
    bool own = PQtransactionStatus(conn->pq) == PQTRANS_IDLE;

    if (oid <= 0 || oid > UINT32_MAX)
        return conn->host->fail(conn->host, err, BACKSTAY_ERR_CORRUPT,
                                "the list of large objects has one without a number");
    if (own && pg_run(conn, err, "BEGIN") != 0)
        return -1;
    if (store(&load, index, object, with_owner, err) == 0)
        return own ? pg_run(conn, err, "COMMIT") : 0;
    struct backstay_error ignored = {.size = sizeof ignored};
    if (own && PQstatus(conn->pq) == CONNECTION_OK)
        (void)!pg_run(conn, &ignored, "ROLLBACK");
    return -1;
}
