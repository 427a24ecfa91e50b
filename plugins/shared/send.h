/* plugins/shared/send.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * send: entries of ours on their way to the sink or back from the feed; facts on their way to
 * either side of a comparison; JSON documents.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mem.h"

#include <backstay/plugin.h>

#include <jansson.h>
#include <stdbool.h>

/** Where facts go: the sink of a backup or the report of a probe. */
struct plug_facts {
    void *ctx; /* struct backstay_sink or struct backstay_report */
    int (*fact)(void *ctx, const char *name, const char *value); /* non-zero: stop */
    const char *prefix; /* "" or "shop/": put before each name */
    bool failed;        /* out: a call said stop */
};
struct plug_facts plug_facts_of_sink(struct backstay_sink *sink, const char *prefix);
struct plug_facts plug_facts_of_report(struct backstay_report *report, const char *prefix);

/** Reports prefix + the formatted name. */
void plug_fact(struct plug_facts *facts, const char *value, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void plug_fact_number(struct plug_facts *facts, int64_t value, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** A file of mode 0600 and @bytes, as of now. Borrows @path. */
struct backstay_entry plug_entry(const char *path, uint64_t bytes);

/** Records a file of mode 0600 at @path whose content is @data. @return 0, or -1: stop. */
int plug_send(struct backstay_sink *sink, const char *path, const void *data, size_t len)
    __attribute__((warn_unused_result));

/** The same for a document, indented; a list has one element on each line. Takes @json over. */
int plug_send_json(struct backstay_sink *sink, const char *path, json_t *json)
    __attribute__((warn_unused_result));

/** A text of the database as JSON, whatever its bytes are (those that are no UTF-8 in hexadecimal,
 * "\\x..."). */
json_t *plug_json_text(const char *text);

/** Parses a document of the server's. Bytes that are no UTF-8 become question marks. NULL: @why. */
json_t *plug_json_parse(const char *text, json_error_t *why);

/** The text of member @key, "" when it is absent or no string. Borrowed. */
const char *plug_json_get(const json_t *object, const char *key);

/** Reads all of an entry; at most @most bytes. Caller frees. @return 0 or -1 with @err. */
int plug_receive(struct backstay_feed *feed, uint64_t index, size_t most, struct plug_bytes *out,
                 const struct backstay_host *host, struct backstay_error *err)
    __attribute__((warn_unused_result));

/** The same, parsed. Release with json_decref(). NULL: @err says why. */
json_t *plug_receive_json(struct backstay_feed *feed, uint64_t index,
                          const struct backstay_host *host, struct backstay_error *err)
    __attribute__((warn_unused_result));
