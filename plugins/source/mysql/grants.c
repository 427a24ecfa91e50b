/* plugins/source/mysql/grants.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rights on the whole server, as SHOW GRANTS tells them: information_schema hides one's own on some
 * managed servers.
 */
#include "snapshot.h"

#include <string.h>
#include <strings.h>

char *my_grants_read(struct my_conn *conn, struct backstay_error *err)
{
    struct plug_bytes out = {0};
    MYSQL_ROW row;
    MYSQL_RES *rows = my_query(conn, err, "SHOW GRANTS");

    if (rows == NULL)
        return NULL;
    while ((row = mysql_fetch_row(rows)) != NULL) {
        plug_bytes_text(&out, my_cell(row, 0));
        plug_bytes_text(&out, "\n");
    }
    mysql_free_result(rows);
    return out.data ? out.data : plug_strdup("");
}

/* Whether a list "A, B, C" of @len bytes has @word. */
static bool has_word(const char *list, size_t len, const char *word)
{
    size_t want = strlen(word);

    while (len > 0) {
        const char *comma = memchr(list, ',', len);
        size_t n = comma ? (size_t)(comma - list) : len;
        if (n == want && strncasecmp(list, word, n) == 0)
            return true;
        n += comma ? 1 : 0;
        list += n;
        len -= n;
        while (len > 0 && *list == ' ') {
            list++;
            len--;
        }
    }
    return false;
}

bool my_grants_have(const char *grants, const char *right)
{
    static const char begin[] = "GRANT ";

    for (const char *line = grants; *line; line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        const char *on = memmem(line, len, " ON *.* TO ", strlen(" ON *.* TO "));
        if (on && strncmp(line, begin, sizeof begin - 1) == 0) {
            const char *list = line + sizeof begin - 1;
            size_t list_len = on > list ? (size_t)(on - list) : 0;
            if (has_word(list, list_len, right) || has_word(list, list_len, "ALL PRIVILEGES"))
                return true;
        }
        line += len;
    }
    return false;
}
