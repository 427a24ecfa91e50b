/* src/store/doc.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/doc.h"

#include <string.h>

#define SEAL_KEY ",\"sha256\":\""
#define SEAL_END "\"}\n"

enum { SEAL_BYTES = sizeof SEAL_KEY - 1 + STAY_ID_HEX + sizeof SEAL_END - 1 };

void stay_doc_seal(struct stay_buf *out, const json_t *object)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id id;
    char *text = json_dumps(object, JSON_COMPACT);

    if (text == NULL)
        abort();
    size_t len = strlen(text) - 1; /* without the closing brace */
    stay_digest_of(digest, text, len, &id);
    stay_buf_add(out, text, len);
    stay_buf_str(out, SEAL_KEY);
    stay_buf_hex(out, id.bytes, sizeof id.bytes);
    stay_buf_str(out, SEAL_END);
    free(text);
}

static bool seal_holds(const struct stay_buf *text)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    char expected[SEAL_BYTES + 1];
    struct stay_id id;

    if (text->len < SEAL_BYTES)
        return false;
    size_t len = text->len - SEAL_BYTES;
    stay_digest_of(digest, text->data, len, &id);
    memcpy(expected, SEAL_KEY, sizeof SEAL_KEY - 1);
    stay_hex_encode(expected + sizeof SEAL_KEY - 1, id.bytes, sizeof id.bytes);
    memcpy(expected + sizeof SEAL_KEY - 1 + STAY_ID_HEX, SEAL_END, sizeof SEAL_END);
    return memcmp(text->data + len, expected, SEAL_BYTES) == 0;
}

int stay_doc_parse(json_t **out, const char *text, size_t len, const char *what,
                   struct stay_err *err)
{
    json_error_t why;

    *out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (*out == NULL)
        return stay_fail(err, STAY_ERR_CORRUPT, "%s is not valid JSON: %s", what, why.text);
    return 0;
}

int stay_doc_open(json_t **out, const struct stay_buf *text, const char *what, struct stay_err *err)
{
    if (!seal_holds(text))
        return stay_fail(err, STAY_ERR_CORRUPT,
                         "%s is damaged: its content does not match its checksum", what);
    return stay_doc_parse(out, text->data, text->len, what, err);
}

static int missing(const char *key, const char *type, struct stay_err *err)
{
    return stay_fail(err, STAY_ERR_CORRUPT, "member \"%s\" is missing or not %s", key, type);
}

int stay_doc_string(const json_t *object, const char *key, const char **out, struct stay_err *err)
{
    *out = json_string_value(json_object_get(object, key));
    return *out ? 0 : missing(key, "a string", err);
}

int stay_doc_u64(const json_t *object, const char *key, uint64_t *out, struct stay_err *err)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return missing(key, "a number", err);
    *out = (uint64_t)json_integer_value(value);
    return 0;
}

int stay_doc_u32(const json_t *object, const char *key, uint32_t *out, struct stay_err *err)
{
    uint64_t value = 0;

    if (stay_doc_u64(object, key, &value, err) < 0)
        return -1;
    if (value > UINT32_MAX)
        return missing(key, "a number in range", err);
    *out = (uint32_t)value;
    return 0;
}

int stay_doc_id(const json_t *object, const char *key, struct stay_id *out, struct stay_err *err)
{
    const char *text;

    if (stay_doc_string(object, key, &text, err) < 0)
        return -1;
    if (strlen(text) != STAY_ID_HEX || stay_id_parse(out, text) < 0)
        return missing(key, "a SHA-256", err);
    return 0;
}

int stay_doc_time(const json_t *object, const char *key, int64_t *out_wall_ns, struct stay_err *err)
{
    const char *text;

    if (stay_doc_string(object, key, &text, err) < 0)
        return -1;
    return stay_time_parse(text, out_wall_ns) == 0 ? 0 : missing(key, "a time", err);
}

int stay_doc_array(const json_t *object, const char *key, const json_t **out, struct stay_err *err)
{
    *out = json_object_get(object, key);
    return json_is_array(*out) ? 0 : missing(key, "a list", err);
}

int stay_doc_object(const json_t *object, const char *key, const json_t **out, struct stay_err *err)
{
    *out = json_object_get(object, key);
    return json_is_object(*out) ? 0 : missing(key, "an object", err);
}

void stay_doc_set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);

    if (value == NULL) {
        stay_auto_str char *ascii = stay_strdup(text);
        for (char *c = ascii; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
        value = json_string(ascii);
    }
    (void)json_object_set_new(object, key, value);
}

void stay_doc_set_u64(json_t *object, const char *key, uint64_t value)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)value));
}

void stay_doc_set_time(json_t *object, const char *key, int64_t wall_ns)
{
    char text[40];

    (void)json_object_set_new(object, key, json_string(stay_time_iso(text, wall_ns)));
}
