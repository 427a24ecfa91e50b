/* plugins/source/postgres/alter.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * alter: access control lists and settings, as our documents have them: how the server makes them
 * into JSON, and how they are put back.
 *
 * Thread-safety: a connection belongs to one thread.
 */
#pragma once

#include "conn.h"
#include "send.h"

/**
 * SQL: the aclitem[] l.acl as [{grantor, grantee, privilege, grantable}], in which the grantee null
 * is everybody; null when it is the default.
 */
#define PG_SQL_ACL                                                                                 \
    "CASE WHEN l.acl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object("                \
    "'grantor', pg_get_userbyid(x.grantor), 'grantee',"                                            \
    " CASE WHEN x.grantee <> 0 THEN pg_get_userbyid(x.grantee) END,"                               \
    " 'privilege', x.privilege, 'grantable', x.grantable) ORDER BY x.nr), '[]')"                   \
    " FROM aclexplode(l.acl) WITH ORDINALITY x(grantor, grantee, privilege, grantable, nr)) END"

/** SQL: name and value of the setting c.setting, "name=value", for json_build_object(). */
#define PG_SQL_SETTING                                                                             \
    "'name', split_part(c.setting, '=', 1),"                                                       \
    " 'value', substr(c.setting, strpos(c.setting, '=') + 1)"

/** Whether the connection's role is a superuser, as the server has told. */
bool pg_is_superuser(const struct pg_conn *conn);

/**
 * Makes @acl the access control list of @what ("DATABASE \"shop\""), whose owner is @owner. A null
 * leaves it as it is. What others than the owner granted is granted by them again when we are a
 * superuser, else by the owner.
 *
 * @return 0 or -1 with @err.
 */
int pg_acl_apply(struct pg_conn *conn, const char *what, const char *owner, const json_t *acl,
                 struct backstay_error *err) __attribute__((warn_unused_result));

/**
 * ALTER @what SET ... for one setting {name, value}. A parameter that this role may not set, or
 * that this server does not know, is left alone with a warning that names it. Not within a
 * transaction.
 *
 * @return 0 or -1 with @err.
 */
int pg_setting_apply(struct pg_conn *conn, const char *what, const json_t *setting,
                     struct backstay_error *err) __attribute__((warn_unused_result));

/** The number of member @key, @otherwise when it is absent or no integer. */
int64_t pg_json_number(const json_t *object, const char *key, int64_t otherwise);
