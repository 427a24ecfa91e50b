/* plugins/source/postgres/restore_script.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * load.sh: the way back without Backstay. What is the same for every database is text; what differs
 * (tables, their columns and files) is a line for each table. Sequences and large objects are read
 * out of their documents by the server.
 */
#include "restore_script.h"

#include "restore.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
    "# Loads this database with pg_restore and psql, from the files beside this script.\n"
    "#\n"
    "#     createdb --template=template0 --encoding=... --locale=... NAME   (database.json has "
    "them)\n"
    "#     sh load.sh NAME [options of pg_restore, such as --no-owner --no-privileges]\n"
    "#\n"
    "# NAME must be empty. The server and the role come from PGHOST, PGPORT, PGUSER, PGPASSFILE; "
    "the\n"
    "# roles that own something must exist (globals.json of the snapshot), or use --no-owner. Not\n"
    "# set: the owner, the rights and the settings of the database itself; they are in\n"
    "# database.json. Nothing is loaded without its number of rows being compared.\n"
    "\n"
    "# shellcheck disable=SC2016\n"
    "set -eu\n"
    "\n"
    "if [ $# -lt 1 ]; then\n"
    "    echo 'usage: sh load.sh DATABASE [options of pg_restore]' >&2\n"
    "    exit 2\n"
    "fi\n"
    "database=$1\n"
    "shift\n"
    "cd \"$(dirname \"$0\")\"\n"
    "\n"
    "PGOPTIONS=\"${PGOPTIONS:-} -c DateStyle=ISO -c IntervalStyle=postgres -c xmloption=content\"\n"
    "PGOPTIONS=\"$PGOPTIONS -c row_security=off -c statement_timeout=0 -c lock_timeout=0\"\n"
    "PGCLIENTENCODING=UTF8\n"
    "export PGOPTIONS PGCLIENTENCODING\n"
    "\n"
    "sql() {\n"
    "    psql -X -q -v ON_ERROR_STOP=1 -d \"$database\" \"$@\"\n"
    "}\n"
    "\n"
    "# table ROWS COPY-STATEMENT FILE...\n"
    "table() {\n"
    "    rows=$1\n"
    "    statement=$2\n"
    "    shift 2\n"
    "    loaded=0\n"
    "    for file in \"$@\"; do\n"
    "        tag=$(psql -X -v ON_ERROR_STOP=1 -d \"$database\" -c \"$statement\" <\"$file\")\n"
    "        loaded=$((loaded + ${tag#COPY }))\n"
    "    done\n"
    "    if [ \"$loaded\" != \"$rows\" ]; then\n"
    "        echo \"load.sh: $statement: $loaded rows were loaded of $rows\" >&2\n"
    "        exit 1\n"
    "    fi\n"
    "}\n"
    "\n"
    "# hashed ROWS TABLE REST FILE...: a part of a hash-partitioned table. Which part a row "
    "belongs\n"
    "# to may differ between servers, so it is loaded through the whole.\n"
    "hashed() {\n"
    "    rows=$1\n"
    "    rest=$3\n"
    "    whole=$(echo \"SELECT pg_partition_root(:'part'::regclass)\" | sql -A -t -v \"part=$2\" "
    "-f -)\n"
    "    shift 3\n"
    "    table \"$rows\" \"COPY $whole $rest\" \"$@\"\n"
    "}\n"
    "\n"
    "# large_object OID FILE: statements that make it, in pieces of hexadecimal digits\n"
    "large_object() {\n"
    "    size=$(wc -c <\"$2\")\n"
    "    piece=0\n"
    "    echo \"SELECT lo_create($1);\"\n"
    "    while [ $((piece * 1048576)) -lt \"$size\" ]; do\n"
    "        echo \"SELECT lo_put($1, $((piece * 1048576)), decode('\"\n"
    "        dd if=\"$2\" bs=1048576 skip=\"$piece\" count=1 2>/dev/null |\n"
    "            od -An -v -tx1 | tr -d ' '\n"
    "        echo \"', 'hex'));\"\n"
    "        piece=$((piece + 1))\n"
    "    done\n"
    "}\n"
    "\n"
    "pg_restore --exit-on-error --section=pre-data -d \"$database\" \"$@\" schema.dump\n"
    "\n";

static const char tail[] =
    "\n"
    "if [ -f sequences.json ]; then\n"
    "    sql -f - <<'END' >/dev/null\n"
    "\\set content `cat sequences.json`\n"
    "SELECT pg_catalog.setval(format('%I.%I', s->>'schema', s->>'name')::regclass,\n"
    "    (s->>'last_value')::bigint, (s->>'is_called')::boolean)\n"
    "FROM json_array_elements(:'content'::json) s;\n"
    "END\n"
    "fi\n"
    "\n"
    "if [ -f large-objects.json ]; then\n"
    "    for file in large-objects/*; do\n"
    "        large_object \"${file##*/}\" \"$file\"\n"
    "    done | sql -f - >/dev/null\n"
    "    wrong=$(sql -A -t -f - <<'END'\n"
    "\\set content `cat large-objects.json`\n"
    "SELECT count(*) FROM json_array_elements(:'content'::json) o\n"
    "WHERE length(lo_get((o->>'oid')::oid)) <> (o->>'bytes')::bigint;\n"
    "END\n"
    "    )\n"
    "    if [ \"$wrong\" != 0 ]; then\n"
    "        echo \"load.sh: large objects that are not complete: $wrong\" >&2\n"
    "        exit 1\n"
    "    fi\n"
    "    # Rights and comments are in large-objects.json; these are the owners.\n"
    "    case \" $* \" in\n"
    "    *' --no-owner '* | *' -O '*) ;;\n"
    "    *)\n"
    "        sql -f - <<'END' >/dev/null\n"
    "\\set content `cat large-objects.json`\n"
    "SELECT format('ALTER LARGE OBJECT %s OWNER TO %I', o->>'oid', o->>'owner')\n"
    "FROM json_array_elements(:'content'::json) o\n"
    "\\gexec\n"
    "END\n"
    "        ;;\n"
    "    esac\n"
    "fi\n"
    "\n"
    "pg_restore --exit-on-error --section=post-data -d \"$database\" \"$@\" schema.dump\n"
    "sql -c ANALYZE || echo 'load.sh: the statistics are not complete; ANALYZE each table' >&2\n"
    "echo \"$database is loaded\"\n";

static void add_quoted(struct plug_bytes *out, const char *text)
{
    plug_bytes_text(out, "'");
    for (; *text; text++) {
        if (*text == '\'')
            plug_bytes_text(out, "'\\''");
        else
            plug_bytes_add(out, text, 1);
    }
    plug_bytes_text(out, "'");
}

static void add_statement(struct plug_bytes *out, const json_t *table)
{
    PLUG_AUTO_FREE char *name =
        pg_qualified(plug_json_get(table, "schema"), plug_json_get(table, "name"));
    PLUG_AUTO_FREE char *sql = pg_copy_in_sql(table, name, "");
    json_int_t rows = json_integer_value(json_object_get(table, "rows"));

    if (json_is_true(json_object_get(table, "hashed"))) {
        plug_bytes_format(out, "hashed %lld ", (long long)rows);
        add_quoted(out, name);
        plug_bytes_text(out, " ");
        add_quoted(out, sql + strlen("COPY ") + strlen(name) + 1);
    } else {
        plug_bytes_format(out, "table %lld ", (long long)rows);
        add_quoted(out, sql);
    }
}

static void add_table(struct plug_bytes *out, const json_t *table)
{
    const json_t *files = json_object_get(table, "files");
    size_t i;
    json_t *file;

    if (json_array_size(files) == 0)
        return;
    add_statement(out, table);
    json_array_foreach(files, i, file)
    {
        plug_bytes_text(out, " ");
        add_quoted(out, plug_json_get(file, "path"));
    }
    plug_bytes_text(out, "\n");
}

char *pg_load_script(const json_t *tables, const char *database)
{
    struct plug_bytes out = {0};
    size_t i;
    json_t *table;

    /* The name is in a comment, where it may be no more than one line. */
    plug_bytes_text(&out, "#!/bin/sh\n# Database: ");
    for (const char *c = database; *c; c++)
        plug_bytes_add(&out, *c == '\n' || *c == '\r' ? " " : c, 1);
    plug_bytes_text(&out, "\n");
    plug_bytes_text(&out, head);
    json_array_foreach(tables, i, table)
    {
        add_table(&out, table);
    }
    plug_bytes_text(&out, tail);
    return out.data;
}
