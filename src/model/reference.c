/* src/model/reference.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model/reference.h"

#include "model/command.h"

#include <string.h>

enum { VALUE_BYTES_MAX = 65536 };

#define EXEC_LIMIT_NS (30 * STAY_NS_PER_S)

typedef int resolve_fn(char **out, const char *what, const struct stay_resolver *resolver,
                       struct stay_err *err);

static void buf_wipe(struct stay_buf *buf)
{
    if (buf->data)
        stay_wipe(buf->data, buf->cap);
    stay_buf_free(buf);
}

/* The content of @buf as a value: without one newline at its end, and text. */
static int take_value(char **out, struct stay_buf *buf, struct stay_err *err)
{
    if (buf->len && buf->data[buf->len - 1] == '\n')
        buf->len--;
    if (buf->len && buf->data[buf->len - 1] == '\r')
        buf->len--;
    if (buf->len && memchr(buf->data, '\0', buf->len))
        return stay_fail(err, STAY_ERR_CONFIG, "what it holds is not text");
    *out = stay_memdup(buf->len ? buf->data : "", buf->len);
    return 0;
}

static int read_file(char **out, const char *path, struct stay_err *err)
{
    struct stay_buf content = {0};
    int outcome = stay_fs_read(&content, path, VALUE_BYTES_MAX, err);

    if (outcome < 0 && err && err->kind != STAY_ERR_AUTH)
        err->kind = STAY_ERR_CONFIG;
    if (outcome == 0)
        outcome = take_value(out, &content, err);
    buf_wipe(&content);
    return outcome;
}

static int resolve_env(char **out, const char *name, const struct stay_resolver *resolver,
                       struct stay_err *err)
{
    const char *value = resolver->get(resolver->ctx, name);

    if (value == NULL)
        return stay_fail(err, STAY_ERR_CONFIG, "it is not set in the environment");
    *out = stay_strdup(value);
    return 0;
}

static int resolve_file(char **out, const char *path, const struct stay_resolver *resolver,
                        struct stay_err *err)
{
    if (path[0] == '/' || resolver->base_folder == NULL)
        return read_file(out, path, err);
    stay_auto_str char *full = stay_strf("%s/%s", resolver->base_folder, path);
    return read_file(out, full, err);
}

static int resolve_cred(char **out, const char *name, const struct stay_resolver *resolver,
                        struct stay_err *err)
{
    const char *folder = resolver->get(resolver->ctx, "CREDENTIALS_DIRECTORY");

    if (strchr(name, '/'))
        return stay_fail(err, STAY_ERR_CONFIG, "the name of a credential has no /");
    if (folder == NULL || *folder == '\0')
        return stay_fail(err, STAY_ERR_CONFIG,
                         "$CREDENTIALS_DIRECTORY is not set: run as a systemd service with "
                         "LoadCredential=%s:PATH, or use file:PATH",
                         name);
    stay_auto_str char *path = stay_strf("%s/%s", folder, name);
    return read_file(out, path, err);
}

static int resolve_exec(char **out, const char *command, const struct stay_resolver *resolver,
                        struct stay_err *err)
{
    struct stay_buf output = {0};
    const struct stay_command_limits limits = {
        .time_ns = resolver->exec_limit_ns ? resolver->exec_limit_ns : EXEC_LIMIT_NS,
        .output_bytes = VALUE_BYTES_MAX,
        .cancel = resolver->cancel,
    };
    int outcome = stay_command_output(&output, command, &limits, err);

    if (outcome == 0)
        outcome = take_value(out, &output, err);
    buf_wipe(&output);
    return outcome;
}

static const struct {
    const char *prefix;
    resolve_fn *resolve;
} schemes[] = {
    {"env:", resolve_env},
    {"file:", resolve_file},
    {"cred:", resolve_cred},
    {"exec:", resolve_exec},
};

bool stay_reference_is(const char *text)
{
    for (size_t i = 0; i < STAY_COUNT(schemes); i++)
        if (stay_str_starts(text, schemes[i].prefix))
            return true;
    return false;
}

bool stay_reference_is_empty(const char *text)
{
    return stay_reference_is(text) && strchr(text, ':')[1] == '\0';
}

int stay_reference_resolve(char **out, const char *text, const struct stay_resolver *resolver,
                           struct stay_err *err)
{
    for (size_t i = 0; i < STAY_COUNT(schemes); i++) {
        if (!stay_str_starts(text, schemes[i].prefix))
            continue;
        const char *what = text + strlen(schemes[i].prefix);
        if (*what == '\0')
            return stay_fail(err, STAY_ERR_CONFIG, "`%s` says nothing after its colon", text);
        if (schemes[i].resolve(out, what, resolver, err) < 0)
            return stay_prefix(err, "resolve `%s`", text);
        return 0;
    }
    *out = stay_strdup(text);
    return 0;
}

static int resolve_setting(struct stay_setting *setting, const struct stay_setting *from,
                           const struct stay_resolver *resolver, struct stay_err *err)
{
    char *value = NULL;

    *setting = *from;
    setting->text = NULL;
    setting->items = NULL;
    setting->n_items = 0;
    if (from->items == NULL) {
        if (stay_reference_resolve(&value, from->text, resolver, err) < 0)
            return -1;
        setting->text = value;
        return 0;
    }
    char **items = stay_calloc(from->n_items, sizeof *items);
    setting->items = (const char *const *)items;
    for (size_t i = 0; i < from->n_items; i++) {
        if (stay_reference_resolve(&items[i], from->items[i], resolver, err) < 0)
            return -1;
        setting->n_items++;
    }
    return 0;
}

int stay_settings_resolve(struct stay_settings *out, const struct stay_setting *from, size_t n,
                          const struct stay_resolver *resolver, struct stay_err *err)
{
    *out = (struct stay_settings){.items = stay_calloc(n, sizeof *out->items)};
    for (size_t i = 0; i < n; i++) {
        out->n++;
        if (resolve_setting(&out->items[i], &from[i], resolver, err) == 0)
            continue;
        stay_settings_free(out);
        (void)stay_prefix(err, "`%s`", from[i].name);
        if (from[i].file)
            (void)stay_prefix(err, "%s:%d:%d", from[i].file, from[i].line, from[i].column);
        return -1;
    }
    return 0;
}

void stay_settings_defer(struct stay_settings *out, const struct stay_setting *from, size_t n)
{
    *out = (struct stay_settings){.items = stay_calloc(n, sizeof *out->items), .n = n};
    for (size_t i = 0; i < n; i++) {
        struct stay_setting *setting = &out->items[i];
        *setting = from[i];
        setting->text = from[i].text ? stay_strdup(from[i].text) : NULL;
        setting->pending = from[i].text && stay_reference_is(from[i].text);
        if (from[i].items == NULL)
            continue;
        char **items = stay_calloc(from[i].n_items, sizeof *items);
        setting->items = (const char *const *)items;
        for (size_t item = 0; item < from[i].n_items; item++) {
            items[item] = stay_strdup(from[i].items[item]);
            setting->pending = setting->pending || stay_reference_is(items[item]);
        }
    }
}

static void release(const char *text)
{
    char *mine = (char *)text;

    if (mine)
        stay_wipe(mine, strlen(mine));
    free(mine);
}

void stay_settings_free(struct stay_settings *settings)
{
    for (size_t i = 0; i < settings->n; i++) {
        struct stay_setting *setting = &settings->items[i];
        release(setting->text);
        for (size_t item = 0; item < setting->n_items; item++)
            release(setting->items[item]);
        free((void *)setting->items);
    }
    free(settings->items);
    *settings = (struct stay_settings){0};
}
