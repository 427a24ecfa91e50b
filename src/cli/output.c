/* src/cli/output.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/output.h"

#include <errno.h>
#include <string.h>

int stay_output_json(struct stay_output *output, json_t *object, struct stay_err *err)
{
    json_t *whole = json_object();
    int outcome = json_object_set_new(whole, "schema_version", json_integer(STAY_JSON_SCHEMA));

    if (outcome == 0)
        outcome = json_object_update(whole, object);
    json_decref(object);
    output->begun = true;
    if (outcome == 0)
        outcome = json_dumpf(whole, output->to, JSON_INDENT(2));
    json_decref(whole);
    if (outcome != 0)
        return stay_fail_errno(err, STAY_ERR_IO, "write JSON to standard output");
    (void)fputc('\n', output->to);
    return 0;
}

/* How many bytes the UTF-8 character at @text has; 0 when it is none that JSON may hold. */
static size_t utf8_length(const unsigned char *text)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    unsigned code = text[0] & (0xffU >> (len + 1));

    if (len == 1)
        return 1;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    return code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : len;
}

json_t *stay_output_string(const char *text)
{
    stay_auto_buf struct stay_buf clean = {0};

    if (text == NULL)
        return json_null();
    while (*text) {
        size_t len = utf8_length((const unsigned char *)text);
        if (len)
            stay_buf_add(&clean, text, len);
        else
            stay_buf_str(&clean, "\xef\xbf\xbd");
        text += len ? len : 1;
    }
    return json_string(clean.len ? clean.data : "");
}

static void write_text(struct stay_output *output, const char *fmt, va_list ap) STAY_PRINTF(2, 0);

static void write_text(struct stay_output *output, const char *fmt, va_list ap)
{
    output->begun = true;
    (void)vfprintf(output->to, fmt, ap);
}

void stay_output_text(struct stay_output *output, const char *fmt, ...)
{
    va_list ap;

    if (output->json)
        return;
    va_start(ap, fmt);
    write_text(output, fmt, ap);
    va_end(ap);
}

void stay_output_say(struct stay_output *output, const char *fmt, ...)
{
    va_list ap;

    if (output->json || output->quiet)
        return;
    va_start(ap, fmt);
    write_text(output, fmt, ap);
    va_end(ap);
}

void stay_output_disarm(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

int stay_output_finish(struct stay_output *output, struct stay_err *err)
{
    errno = 0;
    if (fflush(output->to) == 0 && !ferror(output->to))
        return 0;
    if (errno)
        return stay_fail_errno(err, STAY_ERR_IO, "write to standard output");
    return stay_fail(err, STAY_ERR_IO, "write to standard output: not all could be written");
}
