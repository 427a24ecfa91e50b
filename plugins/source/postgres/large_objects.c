/* plugins/source/postgres/large_objects.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Large objects, in pages of 100: a transaction of its own for each page, since the server keeps a
 * lock for each object that a transaction has opened. Objects of up to 64 KiB come with one query
 * for the page, larger ones in pieces.
 */
#include "alter.h"
#include "meta.h"

#include "rowsum.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { PAGE = 100, SMALL_BYTES = 64 << 10, PIECE_BYTES = 1 << 20 };

/* A reading of all of them. */
struct reading {
    const struct pg_large_objects *options;
    struct backstay_stream *list; /* DB/large-objects.json, once there is an object */
    uint64_t list_bytes;
    struct plug_rowsum sum;
    uint32_t last; /* the highest oid so far */
    bool stopped;  /* the sink said so */
};

/* One object on its way. */
struct object {
    uint32_t oid;
    const char *json;
    const char *comment;
    char *path;
    uint64_t bytes;
    XXH3_state_t *hash;
};

/* ---- the list */

/* has_largeobject_privilege() exists since 18. A superuser, and everybody where old programs are
 * catered for, reads all. */
#define MAY_READ_SINCE_18 "has_largeobject_privilege(m.oid, 'SELECT')"
#define MAY_READ_BEFORE                                                                            \
    "(current_setting('is_superuser') = 'on' OR EXISTS (SELECT FROM"                               \
    " aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) x"                               \
    " WHERE x.privilege_type = 'SELECT'"                                                           \
    " AND CASE WHEN x.grantee = 0 THEN true ELSE pg_has_role(x.grantee, 'USAGE') END))"

static char *page_sql(const struct pg_conn *conn, uint32_t after)
{
    return plug_strf("SELECT m.oid, current_setting('lo_compat_privileges') = 'on' OR %s,"
                     " pg_get_userbyid(m.lomowner), json_build_object('oid', m.oid::bigint,"
                     " 'owner', pg_get_userbyid(m.lomowner), 'acl', %s,"
                     " 'comment', obj_description(m.oid, 'pg_largeobject')),"
                     " obj_description(m.oid, 'pg_largeobject')"
                     " FROM pg_largeobject_metadata m"
                     " CROSS JOIN LATERAL (SELECT m.lomacl AS acl) l WHERE m.oid > %" PRIu32
                     " ORDER BY m.oid LIMIT %d",
                     conn->major >= 18 ? MAY_READ_SINCE_18 : MAY_READ_BEFORE, PG_SQL_ACL, after,
                     PAGE);
}

static int refuse(struct pg_conn *conn, const PGresult *rows, int row, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes role = {0};
    PLUG_AUTO_BYTES struct plug_bytes owner = {0};
    const char *oid = pg_cell(rows, row, 0);

    pg_add_ident(&role, PQuser(conn->pq));
    pg_add_ident(&owner, pg_cell(rows, row, 2));
    return conn->host->fail(
        conn->host, err, BACKSTAY_ERR_AUTH,
        "%s: large object %s cannot be read by role %s: GRANT SELECT ON LARGE OBJECT %s TO %s, or "
        "for all that its owner has: GRANT %s TO %s",
        conn->label, oid, PQuser(conn->pq), oid, role.data, owner.data, role.data);
}

/* The oid and whether it may be read come as text, like the rest of the list. */
static PGresult *read_page(struct reading *reading, struct backstay_error *err)
{
    struct pg_conn *conn = reading->options->conn;
    PLUG_AUTO_FREE char *sql = page_sql(conn, reading->last);
    PGresult *rows = pg_query(conn, err, sql, NULL, 0);

    for (int row = 0; rows && row < PQntuples(rows); row++) {
        if (pg_cell_true(rows, row, 1))
            continue;
        (void)refuse(conn, rows, row, err);
        PQclear(rows);
        return NULL;
    }
    return rows;
}

/* ---- where they go */

/* Notes an answer of the sink's. @return it. */
static int heed(struct reading *reading, int answer)
{
    if (answer != 0)
        reading->stopped = true;
    return answer;
}

/* One line of the list. Caller frees. */
static char *describe(const struct object *object)
{
    json_error_t why;
    json_t *json = plug_json_parse(object->json, &why);

    if (json == NULL || json_object_set_new(json, "bytes", json_integer((int64_t)object->bytes)))
        abort();
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        abort();
    json_decref(json);
    return text;
}

static int add_to_list(struct reading *reading, const struct object *object)
{
    struct backstay_sink *sink = reading->options->sink;
    PLUG_AUTO_FREE char *path = plug_strf("%slarge-objects.json", reading->options->folder);
    const char *before = reading->list ? ",\n" : "[\n";

    if (reading->list == NULL &&
        heed(reading, sink->begin(sink, path, strlen(path), &reading->list)) != 0)
        return -1;
    PLUG_AUTO_FREE char *text = describe(object);
    PLUG_AUTO_FREE char *line = plug_strf("%s%s", before, text);
    reading->list_bytes += strlen(line);
    return heed(reading, sink->write(sink, reading->list, line, strlen(line)));
}

static int end_list(struct reading *reading)
{
    static const char end[] = "\n]\n";
    struct backstay_sink *sink = reading->options->sink;
    PLUG_AUTO_FREE char *path = plug_strf("%slarge-objects.json", reading->options->folder);
    struct backstay_entry entry = plug_entry(path, reading->list_bytes + sizeof end - 1);

    if (heed(reading, sink->write(sink, reading->list, end, sizeof end - 1)) != 0)
        return -1;
    struct backstay_stream *list = reading->list;
    reading->list = NULL;
    return heed(reading, sink->end(sink, list, &entry, NULL, 0));
}

/* The whole object is there: counts it, and lists it. */
static int finish_object(struct reading *reading, const struct object *object)
{
    XXH128_hash_t hash = XXH3_128bits_digest(object->hash);
    PLUG_AUTO_FREE char *row =
        plug_strf("%" PRIu32 " %" PRIu64 " %016" PRIx64 "%016" PRIx64 " %s", object->oid,
                  object->bytes, hash.high64, hash.low64, object->comment);

    plug_rowsum_add(&reading->sum, row, strlen(row));
    return reading->options->sink ? add_to_list(reading, object) : 0;
}

/* ---- contents */

static int send_small(struct reading *reading, struct object *object, const char *data, size_t len)
{
    struct backstay_sink *sink = reading->options->sink;

    object->bytes = len;
    if (XXH3_128bits_update(object->hash, data, len) != XXH_OK)
        abort();
    return sink ? heed(reading, plug_send(sink, object->path, data, len)) : 0;
}

/* The next piece; *@got 0 at the end. */
static int send_piece(struct reading *reading, struct object *object,
                      struct backstay_stream *stream, size_t *got, struct backstay_error *err)
{
    struct backstay_sink *sink = reading->options->sink;
    PLUG_AUTO_FREE char *sql = plug_strf("SELECT lo_get(%" PRIu32 ", %" PRIu64 ", %d)", object->oid,
                                         object->bytes, PIECE_BYTES);
    PGresult *rows = pg_query_bytes(reading->options->conn, err, sql, NULL, 0);

    if (rows == NULL)
        return -1;
    const char *data = PQgetvalue(rows, 0, 0);
    *got = (size_t)PQgetlength(rows, 0, 0);
    object->bytes += *got;
    if (XXH3_128bits_update(object->hash, data, *got) != XXH_OK)
        abort();
    int r = stream ? heed(reading, sink->write(sink, stream, data, *got)) : 0;
    PQclear(rows);
    return r;
}

static int send_large(struct reading *reading, struct object *object, struct backstay_error *err)
{
    struct backstay_sink *sink = reading->options->sink;
    struct backstay_stream *stream = NULL;
    size_t got = PIECE_BYTES;
    int r =
        sink ? heed(reading, sink->begin(sink, object->path, strlen(object->path), &stream)) : 0;

    while (r == 0 && got == PIECE_BYTES)
        r = send_piece(reading, object, stream, &got, err);
    if (sink == NULL)
        return r;
    if (r != 0) {
        if (stream)
            sink->abort(sink, stream);
        return -1;
    }
    const struct backstay_entry entry = plug_entry(object->path, object->bytes);
    return heed(reading, sink->end(sink, stream, &entry, NULL, 0));
}

static int send_object(struct reading *reading, struct object *object, const PGresult *heads,
                       int row, struct backstay_error *err)
{
    const char *data = PQgetvalue(heads, row, 0);
    size_t len = (size_t)PQgetlength(heads, row, 0);

    if (XXH3_128bits_reset(object->hash) != XXH_OK)
        abort();
    int r = len < SMALL_BYTES ? send_small(reading, object, data, len)
                              : send_large(reading, object, err);
    return r == 0 ? finish_object(reading, object) : -1;
}

/* The first SMALL_BYTES of each object of the page, in its order, as binary. */
static PGresult *read_heads(struct pg_conn *conn, const PGresult *page, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_format(&sql, "SELECT lo_get(x.oid, 0, %d) FROM unnest('", SMALL_BYTES);
    for (int row = 0; row < PQntuples(page); row++)
        plug_bytes_format(&sql, "%s%s", row ? "," : "{", pg_cell(page, row, 0));
    plug_bytes_text(&sql, "}'::oid[]) WITH ORDINALITY x(oid, nr) ORDER BY x.nr");
    return pg_query_bytes(conn, err, sql.data, NULL, 0);
}

static int send_page(struct reading *reading, const PGresult *page, struct backstay_error *err)
{
    PGresult *heads = read_heads(reading->options->conn, page, err);
    XXH3_state_t *hash = XXH3_createState();
    int r = heads ? 0 : -1;

    if (hash == NULL)
        abort();
    for (int row = 0; row < PQntuples(page) && r == 0; row++) {
        struct object object = {
            .oid = (uint32_t)pg_cell_number(page, row, 0),
            .json = pg_cell(page, row, 3),
            .comment = pg_cell(page, row, 4),
            .hash = hash,
            .path =
                plug_strf("%slarge-objects/%s", reading->options->folder, pg_cell(page, row, 0)),
        };
        r = send_object(reading, &object, heads, row, err);
        reading->last = object.oid;
        free(object.path);
    }
    (void)XXH3_freeState(hash);
    PQclear(heads);
    return r;
}

/* ---- all pages */

static int begin_page(const struct pg_large_objects *options, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    plug_bytes_text(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;");
    if (options->snapshot) {
        plug_bytes_text(&sql, "SET TRANSACTION SNAPSHOT ");
        pg_add_literal(&sql, options->snapshot);
    }
    return pg_run(options->conn, err, sql.data);
}

/* @return how many objects the page had, or -1. */
static int do_page(struct reading *reading, struct backstay_error *err)
{
    struct pg_conn *conn = reading->options->conn;

    if (begin_page(reading->options, err) != 0)
        return -1;
    PGresult *page = read_page(reading, err);
    int n = page ? PQntuples(page) : -1;
    if (n > 0 && send_page(reading, page, err) != 0)
        n = -1;
    PQclear(page);
    if (n < 0)
        return -1;
    return pg_run(conn, err, "COMMIT") == 0 ? n : -1;
}

int pg_large_objects_read(const struct pg_large_objects *options, struct backstay_error *err)
{
    struct reading reading = {.options = options};
    char digest[PLUG_ROWSUM_HEX];
    int n = PAGE;

    while (n == PAGE)
        n = do_page(&reading, err);
    if (n >= 0 && reading.list && end_list(&reading) != 0)
        n = -1;
    if (n < 0) {
        if (reading.list)
            options->sink->abort(options->sink, reading.list);
        if (reading.stopped)
            (void)options->conn->host->fail(options->conn->host, err, BACKSTAY_ERR_CANCELLED,
                                            "stopped");
        return -1;
    }
    plug_fact_number(options->facts, (int64_t)reading.sum.rows, "large-objects:count");
    plug_fact(options->facts, plug_rowsum_hex(&reading.sum, digest), "large-objects:digest");
    return options->facts->failed ? -1 : 0;
}
