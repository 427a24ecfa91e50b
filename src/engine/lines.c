/* src/engine/lines.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A scanner of its own, because texts are bytes and not always UTF-8 (base/json.h).
 */
#include "engine/lines.h"

#include <string.h>

struct scan {
    const char *at;
    const char *end;
    struct stay_buf key; /* of the member being read */
    struct stay_buf text;
};

static bool accept(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool read_text(struct scan *scan, struct stay_buf *out)
{
    stay_buf_clear(out);
    long taken = stay_json_read_string(out, scan->at, (size_t)(scan->end - scan->at));
    if (taken < 0)
        return false;
    scan->at += taken;
    return true;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.';
}

/* A value that is no text belongs to a member that a later version has added. */
static bool skip_value(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && is_word(*scan->at))
        scan->at++;
    return scan->at > start;
}

static void keep_text(char **member, const struct stay_buf *text)
{
    free(*member);
    *member = stay_memdup(text->len ? text->data : "", text->len);
}

static bool read_member(struct scan *scan, const char *key_name, const char *value_name,
                        struct stay_line *out)
{
    if (!read_text(scan, &scan->key) || !accept(scan, ':'))
        return false;
    if (scan->at == scan->end || *scan->at != '"')
        return skip_value(scan);
    if (!read_text(scan, &scan->text))
        return false;
    if (strcmp(scan->key.data ? scan->key.data : "", key_name) == 0)
        keep_text(&out->key, &scan->text);
    else if (strcmp(scan->key.data ? scan->key.data : "", value_name) == 0)
        keep_text(&out->value, &scan->text);
    return true;
}

static bool read_line(struct scan *scan, const char *key_name, const char *value_name,
                      struct stay_line *out)
{
    if (!accept(scan, '{'))
        return false;
    do {
        if (!read_member(scan, key_name, value_name, out))
            return false;
    } while (accept(scan, ','));
    return accept(scan, '}') && scan->at == scan->end && out->value;
}

static void free_line(struct stay_line *line)
{
    free(line->key);
    free(line->value);
}

void stay_lines_parse(struct stay_lines *out, const char *text, size_t len,
                      enum stay_snapshot_streams which)
{
    bool facts = which == STAY_FACTS;
    struct scan scan = {.at = text};
    const char *end = text + len;

    for (const char *start = text; start < end; start = scan.end + 1) {
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        struct stay_line line = {0};
        scan.at = start;
        scan.end = newline ? newline : end;
        if (scan.at == scan.end)
            continue;
        bool sound = facts ? read_line(&scan, "name", "value", &line) && line.key
                           : read_line(&scan, "path", "text", &line);
        if (sound) {
            *stay_vec_push(out) = line;
            continue;
        }
        free_line(&line);
        if (out->damage.kind == STAY_ERR_NONE)
            (void)stay_fail(&out->damage, STAY_ERR_CORRUPT, "a line of the %s is damaged",
                            stay_snapshot_stream_name(which));
    }
    stay_buf_free(&scan.key);
    stay_buf_free(&scan.text);
}

int stay_lines_load(struct stay_lines *out, struct stay_dest *dest,
                    const struct stay_snapshot *snapshot, enum stay_snapshot_streams which,
                    const char *scratch, struct stay_err *err)
{
    struct stay_text text = {0};

    *out = (struct stay_lines){0};
    if (stay_text_load(&text, dest, snapshot, which, 1, scratch, err) < 0)
        return -1;
    if (text.missing_bytes)
        out->damage = text.first_damage;
    stay_lines_parse(out, text.data, text.len, which);
    stay_text_free(&text);
    return 0;
}

void stay_lines_free(struct stay_lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free_line(&lines->items[i]);
    stay_vec_free(lines);
}
