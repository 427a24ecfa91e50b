/* plugins/shared/send.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "send.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MODE = 0600, DOCUMENT_MAX = 256 << 20 };

/* ---- facts */

static int sink_fact(void *ctx, const char *name, const char *value)
{
    struct backstay_sink *sink = ctx;

    return sink->fact(sink, name, value);
}

static int report_fact(void *ctx, const char *name, const char *value)
{
    struct backstay_report *report = ctx;

    report->fact(report, name, value);
    return 0;
}

struct plug_facts plug_facts_of_sink(struct backstay_sink *sink, const char *prefix)
{
    return (struct plug_facts){.ctx = sink, .fact = sink_fact, .prefix = prefix};
}

struct plug_facts plug_facts_of_report(struct backstay_report *report, const char *prefix)
{
    return (struct plug_facts){.ctx = report, .fact = report_fact, .prefix = prefix};
}

static void add_fact(struct plug_facts *facts, const char *value, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void add_fact(struct plug_facts *facts, const char *value, const char *fmt, va_list ap)
{
    char *name;

    if (vasprintf(&name, fmt, ap) < 0)
        abort();
    PLUG_AUTO_FREE char *full = plug_strf("%s%s", facts->prefix, name);
    free(name);
    if (facts->fact(facts->ctx, full, value) != 0)
        facts->failed = true;
}

void plug_fact(struct plug_facts *facts, const char *value, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_fact(facts, value, fmt, ap);
    va_end(ap);
}

void plug_fact_number(struct plug_facts *facts, int64_t value, const char *fmt, ...)
{
    char text[24];
    va_list ap;

    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    va_start(ap, fmt);
    add_fact(facts, text, fmt, ap);
    va_end(ap);
}

/* ---- entries */

struct backstay_entry plug_entry(const char *path, uint64_t bytes)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct backstay_entry){
        .size = sizeof(struct backstay_entry),
        .type = BACKSTAY_FILE,
        .flags = BACKSTAY_ENTRY_HAS_MODE,
        .mode = MODE,
        .path = path,
        .path_len = strlen(path),
        .bytes = bytes,
        .mtime_s = now.tv_sec,
        .uid = (uint32_t)geteuid(),
        .gid = (uint32_t)getegid(),
    };
}

int plug_send(struct backstay_sink *sink, const char *path, const void *data, size_t len)
{
    const struct backstay_entry entry = plug_entry(path, len);

    return sink->whole(sink, &entry, data, len, NULL, 0);
}

static char *dump_list(const json_t *list)
{
    struct plug_bytes text = {0};
    const char *between = "[\n";
    size_t i;
    json_t *element;

    json_array_foreach(list, i, element)
    {
        PLUG_AUTO_FREE char *line =
            json_dumps(element, JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_COMPACT);
        if (line == NULL)
            abort();
        plug_bytes_format(&text, "%s%s", between, line);
        between = ",\n";
    }
    plug_bytes_text(&text, json_array_size(list) ? "\n]" : "[]");
    return text.data;
}

int plug_send_json(struct backstay_sink *sink, const char *path, json_t *json)
{
    char *dumped = json_is_array(json) ? dump_list(json) : json_dumps(json, JSON_INDENT(2));

    json_decref(json);
    if (dumped == NULL)
        abort();
    PLUG_AUTO_FREE char *text = plug_strf("%s\n", dumped);
    free(dumped);
    return plug_send(sink, path, text, strlen(text));
}

/* A database in SQL_ASCII may hold any bytes in its names; jansson takes valid UTF-8 only. */
json_t *plug_json_text(const char *text)
{
    json_t *json = json_string(text);

    if (json)
        return json;
    PLUG_AUTO_BYTES struct plug_bytes hex = {0};
    plug_bytes_text(&hex, "\\x");
    for (; *text; text++)
        plug_bytes_format(&hex, "%02x", (unsigned char)*text);
    return json_string(hex.data);
}

/* Names of roles and comments on them may come from a database of another encoding: the server
 * sends their bytes as they are. */
static void keep_utf8(char *text)
{
    unsigned char *at = (unsigned char *)text;

    while (*at) {
        size_t n = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
        json_t *json = json_stringn((const char *)at, strnlen((const char *)at, n));
        if (json == NULL) {
            *at = '?';
            n = 1;
        }
        json_decref(json);
        at += n;
    }
}

json_t *plug_json_parse(const char *text, json_error_t *why)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, why);

    if (json || json_error_code(why) != json_error_invalid_utf8)
        return json;
    PLUG_AUTO_FREE char *copy = plug_strdup(text);
    keep_utf8(copy);
    return json_loads(copy, JSON_DECODE_ANY, why);
}

const char *plug_json_get(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ---- coming back */

int plug_receive(struct backstay_feed *feed, uint64_t index, size_t most, struct plug_bytes *out,
                 const struct backstay_host *host, struct backstay_error *err)
{
    struct backstay_reader *reader;
    ssize_t n = 1;

    if (feed->open(feed, index, &reader) != 0)
        return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "an entry cannot be read back");
    while (n > 0 && out->len <= most) {
        char *to = plug_bytes_reserve(out, 65536);
        n = feed->read(feed, reader, to, 65536);
        if (n > 0)
            plug_bytes_cut(out, out->len + (size_t)n);
    }
    feed->close(feed, reader);
    if (n < 0)
        return host->fail(host, err,
                          host->cancelled(host) ? BACKSTAY_ERR_CANCELLED : BACKSTAY_ERR_CORRUPT,
                          "an entry cannot be read back");
    if (out->len > most)
        return host->fail(host, err, BACKSTAY_ERR_CORRUPT, "an entry is larger than %zu bytes",
                          most);
    return 0;
}

json_t *plug_receive_json(struct backstay_feed *feed, uint64_t index,
                          const struct backstay_host *host, struct backstay_error *err)
{
    PLUG_AUTO_BYTES struct plug_bytes text = {0};
    json_error_t why;

    if (plug_receive(feed, index, DOCUMENT_MAX, &text, host, err) != 0)
        return NULL;
    json_t *json = json_loadb(text.data ? text.data : "", text.len, 0, &why);
    if (json == NULL)
        (void)host->fail(host, err, BACKSTAY_ERR_CORRUPT, "a document is no JSON: line %d: %s",
                         why.line, why.text);
    return json;
}
