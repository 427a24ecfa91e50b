/* plugins/source/postgres/inventory.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * How many objects of each kind there are. What is counted is what a dump restores, and counted so
 * that the restored copy has the same figure in every major version: nothing that the server makes
 * by itself for another object, since that is where versions differ (multiranges, not-null
 * constraints, copies of constraints and triggers on partitions).
 */
#include "catalog.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>

/* What the figures are made from. $1: the oids of the schemas that the options choose. $2: those of
 * relations that they leave out. $3: objects in no schema count. $4: comments count. An object made
 * after initdb has an oid from 16384 on. */
static const char common_sql[] =
    "WITH nsp AS MATERIALIZED (SELECT unnest($1::oid[]) AS oid),"
    " member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),"
    " rel AS MATERIALIZED (SELECT c.oid, c.relkind, c.relispartition FROM pg_class c"
    "  WHERE c.relnamespace IN (SELECT oid FROM nsp) AND c.relpersistence <> 't'"
    "  AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')"
    "  AND c.oid NOT IN (SELECT unnest($2::oid[])) AND c.oid NOT IN"
    "   (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)"
    "  AND (c.relkind <> 'c' OR c.reltype NOT IN"
    "   (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)))";

/* What a figure depends on besides its condition: */
enum scope {
    RELATION, /* rel o */
    TABLE,    /* @from has @o.@column, the relation that it belongs to */
    SCHEMA,   /* @from has @o.@column, the schema that it is in */
    DATABASE, /* in no schema: left out when the options choose schemas */
};

struct kind {
    const char *name;
    enum scope scope;
    const char *from; /* a catalog; "" for RELATION */
    const char *column;
    const char *where;
};

#define CONSTRAINT(name, type, valid)                                                              \
    {                                                                                              \
        name, TABLE, "pg_constraint", "conrelid",                                                  \
            "o.conparentid = 0 AND o.contype = '" type "' AND " valid                              \
    }
#define TRIGGER(name, state)                                                                       \
    {                                                                                              \
        name, TABLE, "pg_trigger", "tgrelid",                                                      \
            "NOT o.tgisinternal AND o.tgparentid = 0 AND o.tgenabled = '" state "'"                \
    }
#define TYPE(name, condition)                                                                      \
    {                                                                                              \
        name, SCHEMA, "pg_type", "typnamespace", condition                                         \
    }
#define ROUTINE(name, kinds)                                                                       \
    {                                                                                              \
        name, SCHEMA, "pg_proc", "pronamespace", "o.prokind IN (" kinds ")"                        \
    }

static const struct kind kinds[] = {
    {"tables", RELATION, "", "", "o.relkind = 'r'"},
    {"partitioned-tables", RELATION, "", "", "o.relkind = 'p'"},
    {"partitions", RELATION, "", "", "o.relkind IN ('r', 'p', 'f') AND o.relispartition"},
    {"foreign-tables", RELATION, "", "", "o.relkind = 'f'"},
    {"views", RELATION, "", "", "o.relkind = 'v'"},
    {"materialized-views", RELATION, "", "", "o.relkind = 'm'"},
    {"sequences", RELATION, "", "", "o.relkind = 'S'"},
    {"composite-types", RELATION, "", "", "o.relkind = 'c'"},
    {"indexes", TABLE, "pg_index", "indrelid",
     "(o.indisvalid OR (SELECT relkind FROM pg_class i WHERE i.oid = o.indexrelid) = 'I')"},
    CONSTRAINT("primary-keys", "p", "true"),
    CONSTRAINT("unique-constraints", "u", "true"),
    CONSTRAINT("exclusion-constraints", "x", "true"),
    CONSTRAINT("foreign-keys", "f", "o.convalidated"),
    CONSTRAINT("foreign-keys-not-valid", "f", "NOT o.convalidated"),
    CONSTRAINT("check-constraints", "c", "o.convalidated"),
    CONSTRAINT("check-constraints-not-valid", "c", "NOT o.convalidated"),
    {"domain-constraints", SCHEMA, "pg_constraint", "connamespace",
     "o.contypid <> 0 AND o.contype = 'c' AND o.contypid NOT IN"
     " (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)"},
    TRIGGER("triggers", "O"),
    TRIGGER("triggers-disabled", "D"),
    TRIGGER("triggers-replica", "R"),
    TRIGGER("triggers-always", "A"),
    {"rules", TABLE, "pg_rewrite", "ev_class", "o.rulename <> '_RETURN'"},
    {"policies", TABLE, "pg_policy", "polrelid", "true"},
    {"inheritance", TABLE, "pg_inherits", "inhrelid", "true"},
    {"column-defaults", TABLE, "pg_attrdef", "adrelid", "true"},
    ROUTINE("functions", "'f', 'w'"),
    ROUTINE("procedures", "'p'"),
    ROUTINE("aggregates", "'a'"),
    TYPE("base-types", "o.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type x"
                       " WHERE x.typarray = o.oid)"),
    TYPE("enums", "o.typtype = 'e'"),
    TYPE("domains", "o.typtype = 'd'"),
    TYPE("ranges", "o.typtype = 'r'"),
    {"operators", SCHEMA, "pg_operator", "oprnamespace", "o.oprcode <> 0"},
    {"operator-classes", SCHEMA, "pg_opclass", "opcnamespace", "true"},
    {"operator-families", SCHEMA, "pg_opfamily", "opfnamespace", "true"},
    {"collations", SCHEMA, "pg_collation", "collnamespace", "true"},
    {"conversions", SCHEMA, "pg_conversion", "connamespace", "true"},
    {"statistics-objects", SCHEMA, "pg_statistic_ext", "stxnamespace",
     "o.stxrelid IN (SELECT oid FROM rel)"},
    {"text-search-parsers", SCHEMA, "pg_ts_parser", "prsnamespace", "true"},
    {"text-search-templates", SCHEMA, "pg_ts_template", "tmplnamespace", "true"},
    {"text-search-dictionaries", SCHEMA, "pg_ts_dict", "dictnamespace", "true"},
    {"text-search-configurations", SCHEMA, "pg_ts_config", "cfgnamespace", "true"},
    /* The public schema is in every new database, whether its source still had it or not. */
    {"schemas", SCHEMA, "pg_namespace", "oid", "o.nspname <> 'public'"},
    {"extensions", DATABASE, "pg_extension", "", "true"},
    {"casts", DATABASE, "pg_cast", "", "true"},
    {"languages", DATABASE, "pg_language", "", "true"},
    {"transforms", DATABASE, "pg_transform", "", "true"},
    {"access-methods", DATABASE, "pg_am", "", "true"},
    {"foreign-data-wrappers", DATABASE, "pg_foreign_data_wrapper", "", "true"},
    {"foreign-servers", DATABASE, "pg_foreign_server", "", "true"},
    {"event-triggers", DATABASE, "pg_event_trigger", "", "true"},
    {"publications", DATABASE, "pg_publication", "", "true"},
};

/* The view is for everybody, its catalog for superusers. Comments: of objects that are
 * counted above, and their columns. */
static const char further_sql[] =
    " UNION ALL SELECT 'user-mappings', count(*) FROM pg_user_mappings WHERE $3"
    " UNION ALL SELECT 'comments', count(*) FROM pg_description o WHERE $4 AND o.objoid >= 16384"
    "  AND (o.classoid, o.objoid) NOT IN (SELECT classid, objid FROM member)"
    "  AND o.classoid NOT IN ('pg_subscription'::regclass, 'pg_largeobject'::regclass)"
    "  AND (o.classoid <> 'pg_namespace'::regclass OR o.objoid NOT IN"
    "   (SELECT oid FROM pg_namespace WHERE nspname = 'public'))"
    "  AND (o.classoid <> 'pg_class'::regclass OR o.objoid IN"
    "   (SELECT oid FROM rel UNION ALL SELECT i.indexrelid FROM pg_index i"
    "    JOIN rel ON rel.oid = i.indrelid WHERE i.indisvalid))"
    "  AND (o.classoid <> 'pg_constraint'::regclass OR o.objoid NOT IN"
    "   (SELECT oid FROM pg_constraint WHERE contype = 'n'))";

/* ---- the statement */

static bool has_oid(const struct kind *kind)
{
    return strcmp(kind->from, "pg_inherits") != 0 && strcmp(kind->from, "pg_index") != 0;
}

static void add_kind(struct plug_bytes *sql, const struct kind *kind)
{
    plug_bytes_format(sql, " UNION ALL SELECT '%s', count(*) FROM %s o WHERE %s", kind->name,
                      kind->scope == RELATION ? "rel" : kind->from, kind->where);
    if (kind->scope == RELATION)
        return;
    if (kind->scope == TABLE)
        plug_bytes_format(sql, " AND o.%s IN (SELECT oid FROM rel)", kind->column);
    if (kind->scope == SCHEMA)
        plug_bytes_format(sql, " AND o.%s IN (SELECT oid FROM nsp)", kind->column);
    if (kind->scope == DATABASE)
        plug_bytes_text(sql, " AND $3 AND o.oid >= 16384");
    if (has_oid(kind))
        plug_bytes_format(
            sql, " AND o.oid NOT IN (SELECT objid FROM member WHERE classid = '%s'::regclass)",
            kind->from);
    /* What hangs on an object by an internal dependency came into being with it. */
    if (kind->scope == DATABASE || strcmp(kind->from, "pg_proc") == 0)
        plug_bytes_format(sql,
                          " AND o.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'i'"
                          " AND classid = '%s'::regclass)",
                          kind->from);
}

/* ---- what the options choose */

/* Collects oids as an array for SQL. */
static void add_oid(struct plug_bytes *array, const char *oid)
{
    plug_bytes_format(array, "%s%s", array->len ? "," : "{", oid);
}

static char *array_of(struct plug_bytes *array)
{
    plug_bytes_text(array, array->len ? "}" : "{}");
    return array->data;
}

static char *chosen_schemas(const struct pg *pg, struct pg_conn *conn, struct backstay_error *err)
{
    struct plug_bytes array = {0};
    PGresult *rows = pg_query(conn, err,
                              "SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
                              " AND nspname <> 'information_schema'",
                              NULL, 0);

    if (rows == NULL)
        return NULL;
    for (int row = 0; row < PQntuples(rows); row++)
        if (pg_wants_schema(pg, pg_cell(rows, row, 1)))
            add_oid(&array, pg_cell(rows, row, 0));
    PQclear(rows);
    return array_of(&array);
}

static bool wants_relation(const struct pg *pg, const PGresult *rows, int row)
{
    const struct pg_owned sequence = {
        .schema = pg_cell(rows, row, 1),
        .name = pg_cell(rows, row, 2),
        .table_schema = pg_cell(rows, row, 3),
        .table = pg_cell(rows, row, 4),
        .identity = pg_cell_true(rows, row, 5),
    };

    return pg_wants_sequence(pg, &sequence);
}

static char *left_out(const struct pg *pg, struct pg_conn *conn, struct backstay_error *err)
{
    struct plug_bytes array = {0};
    PGresult *rows =
        pg_query(conn, err,
                 "SELECT c.oid, n.nspname, c.relname, tn.nspname, t.relname, d.deptype = 'i'"
                 " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                 " LEFT JOIN pg_depend d ON c.relkind = 'S' AND d.classid = 'pg_class'::regclass"
                 "  AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass"
                 "  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')"
                 " LEFT JOIN pg_class t ON t.oid = d.refobjid"
                 " LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace"
                 " WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND n.nspname !~ '^pg_'"
                 " AND n.nspname <> 'information_schema'",
                 NULL, 0);

    if (rows == NULL)
        return NULL;
    for (int row = 0; row < PQntuples(rows); row++)
        if (!wants_relation(pg, rows, row))
            add_oid(&array, pg_cell(rows, row, 0));
    PQclear(rows);
    return array_of(&array);
}

int pg_inventory(const struct pg *pg, struct pg_conn *conn, struct plug_facts *facts,
                 struct backstay_error *err)
{
    bool all_schemas = pg->schemas.n == 0;
    bool all = all_schemas && pg->exclude_schemas.n == 0 && pg->exclude_tables.n == 0;
    PLUG_AUTO_FREE char *schemas = chosen_schemas(pg, conn, err);
    PLUG_AUTO_FREE char *without = schemas ? left_out(pg, conn, err) : NULL;
    const char *params[] = {schemas, without, all_schemas ? "true" : "false",
                            all ? "true" : "false"};
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};

    if (without == NULL)
        return -1;
    plug_bytes_format(&sql, "%s SELECT '', 0 WHERE $3::boolean IS NULL OR $4::boolean IS NULL",
                      common_sql);
    for (size_t i = 0; i < PLUG_COUNT(kinds); i++)
        if (pg->tables.n == 0 || strcmp(kinds[i].name, "tables") == 0)
            add_kind(&sql, &kinds[i]);
    if (pg->tables.n == 0)
        plug_bytes_text(&sql, further_sql);
    PGresult *rows = pg_query(conn, err, sql.data, params, (int)PLUG_COUNT(params));
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++)
        plug_fact(facts, pg_cell(rows, row, 1), "count:%s", pg_cell(rows, row, 0));
    PQclear(rows);
    return facts->failed ? -1 : 0;
}
