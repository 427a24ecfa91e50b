/* plugins/source/postgres/check_large.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Large objects that cannot be read. pg_read_all_data does not cover them: each has rights of its
 * own, which its owner has by birth.
 */
#include "check_parts.h"

#include <stdlib.h>

enum { RIGHTS_FUNCTION_SINCE = 18, DEFAULT_RIGHTS_SINCE = 18, LISTED = 10 };

enum { COL_COUNT, COL_SIZE, COL_UNREADABLE, COL_OIDS, COL_OWNERS };

/* Members of the owner have its rights. The setting lifts all checks from reading. */
#define READABLE_BEFORE_18                                                                         \
    "pg_catalog.pg_has_role(m.lomowner, 'USAGE')"                                                  \
    " OR pg_catalog.current_setting('lo_compat_privileges')::bool"                                 \
    " OR EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'"  \
    "  AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))"

#define READABLE_SINCE_18                                                                          \
    "pg_catalog.has_largeobject_privilege(m.oid, 'SELECT')"                                        \
    " OR pg_catalog.current_setting('lo_compat_privileges')::bool"

#define LARGE_SQL(readable)                                                                        \
    "SELECT pg_catalog.count(*), pg_catalog.pg_size_pretty("                                       \
    " pg_catalog.pg_table_size('pg_catalog.pg_largeobject')),"                                     \
    " pg_catalog.count(*) FILTER (WHERE NOT x.readable),"                                          \
    " pg_catalog.array_to_string((pg_catalog.array_agg(x.oid ORDER BY x.oid)"                      \
    "  FILTER (WHERE NOT x.readable))[1:10], ', '),"                                               \
    " (SELECT pg_catalog.string_agg(" PG_SQL_IDENT(                                                \
        "r.rolname") ", ', ' ORDER BY r.rolname)"                                                  \
                     "  FROM pg_catalog.pg_roles r WHERE r.oid IN (SELECT lomowner"                \
                     "  FROM pg_catalog.pg_largeobject_metadata))"                                 \
                     " FROM (SELECT m.oid, " readable " AS readable"                               \
                     "  FROM pg_catalog.pg_largeobject_metadata m) x"

/* For more than one would write into one statement. */
static void add_loop(struct plug_bytes *sql, const char *role)
{
    PLUG_AUTO_FREE char *to = plug_strf(" TO %s", role);

    plug_bytes_text(sql, "\nDO $each$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM "
                         "pg_largeobject_metadata LOOP EXECUTE 'GRANT SELECT ON LARGE OBJECT ' || "
                         "o || ");
    pg_add_literal(sql, to);
    plug_bytes_text(sql, "; END LOOP; END $each$;");
}

static void say_unreadable(const struct pg_look *look, const PGresult *row)
{
    PLUG_AUTO_BYTES struct plug_bytes sql = {0};
    const char *owners = pg_cell(row, 0, COL_OWNERS);

    if (pg_cell_number(row, 0, COL_UNREADABLE) <= LISTED)
        plug_bytes_format(&sql, "\nGRANT SELECT ON LARGE OBJECT %s TO %s;",
                          pg_cell(row, 0, COL_OIDS), look->role);
    else
        add_loop(&sql, look->role);
    if (look->conn->major >= DEFAULT_RIGHTS_SINCE)
        plug_bytes_format(&sql,
                          "\nand for those to come:\nALTER DEFAULT PRIVILEGES FOR ROLE %s GRANT "
                          "SELECT ON LARGE OBJECTS TO %s;",
                          owners, look->role);
    else
        plug_bytes_format(&sql,
                          "\nor, for those to come as well, a superuser:\nALTER ROLE %s SET "
                          "lo_compat_privileges = on;",
                          look->role);
    pg_look_say(look, BACKSTAY_BAD, "large objects",
                "%s may not read %s of %s (%s); as their owner (%s) or a superuser%s:%s",
                look->role, pg_cell(row, 0, COL_UNREADABLE), pg_cell(row, 0, COL_COUNT),
                pg_cell(row, 0, COL_OIDS), owners, look->standby ? ", on the primary" : "",
                sql.data);
}

int pg_look_large_objects(const struct pg_look *look, struct backstay_error *err)
{
    const char *sql = look->conn->major >= RIGHTS_FUNCTION_SINCE ? LARGE_SQL(READABLE_SINCE_18)
                                                                 : LARGE_SQL(READABLE_BEFORE_18);
    PGresult *row = pg_query(look->conn, err, sql, NULL, 0);

    if (row == NULL)
        return -1;
    if (pg_cell_number(row, 0, COL_UNREADABLE) > 0)
        say_unreadable(look, row);
    else if (pg_cell_number(row, 0, COL_COUNT) > 0)
        pg_look_say(look, BACKSTAY_INFO, "large objects", "%s, %s, all of them readable",
                    pg_cell(row, 0, COL_COUNT), pg_cell(row, 0, COL_SIZE));
    PQclear(row);
    return 0;
}
