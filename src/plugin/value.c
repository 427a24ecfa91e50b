/* src/plugin/value.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin/value.h"

#include <stdio.h>
#include <string.h>

static const char *kind_of(const struct stay_value_scope *scope)
{
    return scope->plugin->kind == BACKSTAY_SOURCE ? "source" : "destination";
}

static int fail_at(const struct stay_setting *where, struct stay_err *err, const char *fmt, ...)
    STAY_PRINTF(3, 4);

static int fail_at(const struct stay_setting *where, struct stay_err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)stay_vfail(err, STAY_ERR_CONFIG, fmt, ap);
    va_end(ap);
    if (where == NULL || where->file == NULL || err == NULL)
        return -1;
    char *text = stay_strdup(err->text);
    (void)stay_fail(err, STAY_ERR_CONFIG, "%s:%d:%d: %s", where->file, where->line, where->column,
                    text);
    free(text);
    return -1;
}

/* What a value of each type looks like, for "must be ...". */
static const char *const type_forms[] = {
    [BACKSTAY_OPTION_STRING] = "one value",
    [BACKSTAY_OPTION_BOOL] = "true or false",
    [BACKSTAY_OPTION_INT] = "a whole number",
    [BACKSTAY_OPTION_SIZE] = "a size like 512MiB",
    [BACKSTAY_OPTION_DURATION] = "a duration like 90s, 26h or 8d",
    [BACKSTAY_OPTION_SPACE] = "a size like 10GiB or a share like 15%",
    [BACKSTAY_OPTION_LIST] = "a list",
    [BACKSTAY_OPTION_PATH] = "a path",
};

static int read_bool(const char *text, int64_t *out)
{
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0 ? 0 : -1;
}

static int read_space(const char *text, struct backstay_value *value)
{
    size_t len = strlen(text);

    if (len == 0 || text[len - 1] != '%')
        return stay_str_size(text, &value->number);
    stay_auto_str char *number = stay_memdup(text, len - 1);
    value->percent = 1;
    if (number[0] == '-' || stay_str_i64(number, &value->number) < 0)
        return -1;
    return value->number <= 100 ? 0 : -1;
}

static int read_number(struct backstay_value *value, uint32_t type, const char *text)
{
    switch (type) {
    case BACKSTAY_OPTION_BOOL:
        return read_bool(text, &value->number);
    case BACKSTAY_OPTION_INT:
        return stay_str_i64(text, &value->number);
    case BACKSTAY_OPTION_SIZE:
        return stay_str_size(text, &value->number);
    case BACKSTAY_OPTION_DURATION:
        return stay_str_duration(text, &value->number);
    case BACKSTAY_OPTION_SPACE:
        return read_space(text, value);
    default:
        return 0;
    }
}

static char *absolute_path(const char *text, const char *base_folder)
{
    if (text[0] == '/' || base_folder == NULL)
        return stay_strdup(text);
    return stay_strf("%s/%s", base_folder, text);
}

static void hide(const struct backstay_option *option, const char *text)
{
    if (option->flags & BACKSTAY_OPTION_SECRET)
        stay_log_hide(text);
}

static int read_list(struct stay_value *value, const struct backstay_option *option,
                     const struct stay_setting *from)
{
    const char *const *items = from->items ? from->items : &from->text;
    size_t n = from->items ? from->n_items : 1;

    value->items = stay_calloc(n, sizeof *value->items);
    value->n_items = n;
    for (size_t i = 0; i < n; i++) {
        hide(option, items[i]);
        value->items[i] = stay_strdup(items[i]);
    }
    value->abi.items = (const char *const *)value->items;
    value->abi.n_items = (uint32_t)n;
    return 0;
}

static int read_value(struct stay_value *value, const struct backstay_option *option,
                      const struct stay_value_scope *scope, const struct stay_setting *from,
                      struct stay_err *err)
{
    bool secret = option->flags & BACKSTAY_OPTION_SECRET;

    value->secret = secret;
    value->abi.size = sizeof value->abi;
    value->abi.set = 1;
    if (from->pending && !scope->pending)
        return fail_at(from, err, "`%s` of %s `%s` is a reference that was not resolved",
                       option->name, kind_of(scope), scope->name);
    if (from->pending)
        return 0;
    if (option->type == BACKSTAY_OPTION_LIST)
        return read_list(value, option, from);
    if (from->text == NULL)
        return fail_at(from, err, "`%s` of %s `%s` must be %s, not a list", option->name,
                       kind_of(scope), scope->name, type_forms[option->type]);
    hide(option, from->text);
    if (from->text[0] == '\0' &&
        (option->type == BACKSTAY_OPTION_PATH || option->flags & BACKSTAY_OPTION_REQUIRED))
        return fail_at(from, err, "`%s` of %s `%s` is empty", option->name, kind_of(scope),
                       scope->name);
    if (read_number(&value->abi, option->type, from->text) < 0)
        return fail_at(from, err, "`%s` of %s `%s` must be %s, not `%s`", option->name,
                       kind_of(scope), scope->name, type_forms[option->type],
                       secret ? "***" : from->text);
    value->text = option->type == BACKSTAY_OPTION_PATH
                      ? absolute_path(from->text, scope->base_folder)
                      : stay_strdup(from->text);
    value->abi.text = value->text;
    return 0;
}

static int fail_unknown(const struct stay_value_scope *scope, const struct stay_setting *setting,
                        struct stay_err *err)
{
    const struct backstay_plugin *plugin = scope->plugin;
    stay_auto_free const char **names = stay_calloc(plugin->n_options, sizeof *names);

    for (uint32_t i = 0; i < plugin->n_options; i++)
        names[i] = plugin->options[i]->name;
    const char *nearest = stay_str_nearest(setting->name, names, plugin->n_options);
    if (nearest)
        return fail_at(setting, err, "unknown key `%s` in %s `%s` of type %s, did you mean `%s`?",
                       setting->name, kind_of(scope), scope->name, plugin->name, nearest);
    return fail_at(setting, err,
                   "unknown key `%s` in %s `%s` of type %s; `backstay plugin show %s` lists what "
                   "there is",
                   setting->name, kind_of(scope), scope->name, plugin->name, plugin->name);
}

static int read_setting(struct stay_value *values, const struct stay_value_scope *scope,
                        const struct stay_setting *setting, struct stay_err *err)
{
    const struct backstay_plugin *plugin = scope->plugin;

    for (uint32_t i = 0; i < plugin->n_options; i++) {
        if (strcmp(plugin->options[i]->name, setting->name) != 0)
            continue;
        if (values[i].abi.set)
            return fail_at(setting, err, "`%s` of %s `%s` is given twice", setting->name,
                           kind_of(scope), scope->name);
        return read_value(&values[i], plugin->options[i], scope, setting, err);
    }
    return fail_unknown(scope, setting, err);
}

static int read_default(struct stay_value *value, const struct backstay_option *option,
                        const struct stay_value_scope *scope, struct stay_err *err)
{
    static const char *const none[] = {NULL};
    struct stay_setting given = {.name = option->name, .text = option->default_text};

    value->abi.size = sizeof value->abi;
    if (value->abi.set)
        return 0;
    if (option->flags & BACKSTAY_OPTION_REQUIRED)
        return fail_at(scope->section, err, "%s `%s` of type %s has no `%s`, which it needs: %s",
                       kind_of(scope), scope->name, scope->plugin->name, option->name,
                       option->help ? option->help : "");
    if (option->default_text == NULL)
        return 0;
    if (option->type == BACKSTAY_OPTION_LIST && strcmp(option->default_text, "[]") == 0)
        given.items = none;
    return read_value(value, option, scope, &given, err);
}

int stay_values_read(struct stay_value *values, const struct stay_value_scope *scope,
                     const struct stay_setting *settings, size_t n_settings, struct stay_err *err)
{
    for (size_t i = 0; i < n_settings; i++)
        if (read_setting(values, scope, &settings[i], err) < 0)
            return -1;
    for (uint32_t i = 0; i < scope->plugin->n_options; i++)
        if (read_default(&values[i], scope->plugin->options[i], scope, err) < 0)
            return -1;
    return 0;
}

static void release(char *text, bool secret)
{
    if (text && secret)
        stay_wipe(text, strlen(text));
    free(text);
}

void stay_values_free(struct stay_value *values, size_t n)
{
    if (values == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        release(values[i].text, values[i].secret);
        for (size_t item = 0; item < values[i].n_items; item++)
            release(values[i].items[item], values[i].secret);
        free(values[i].items);
    }
    free(values);
}
