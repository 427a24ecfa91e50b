/* src/plugin/host.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin/host.h"

#include "plugin/value.h"

#include <stdio.h>
#include <string.h>

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "the plugin ABI's numbers are also ours")
SAME(BACKSTAY_ERR_NONE, STAY_ERR_NONE);
SAME(BACKSTAY_ERR_IO, STAY_ERR_IO);
SAME(BACKSTAY_ERR_TRANSIENT, STAY_ERR_TRANSIENT);
SAME(BACKSTAY_ERR_CONFIG, STAY_ERR_CONFIG);
SAME(BACKSTAY_ERR_AUTH, STAY_ERR_AUTH);
SAME(BACKSTAY_ERR_CORRUPT, STAY_ERR_CORRUPT);
SAME(BACKSTAY_ERR_SPACE, STAY_ERR_SPACE);
SAME(BACKSTAY_ERR_CANCELLED, STAY_ERR_CANCELLED);
SAME(BACKSTAY_LOG_ERROR, STAY_LOG_ERROR);
SAME(BACKSTAY_LOG_WARN, STAY_LOG_WARN);
SAME(BACKSTAY_LOG_NOTE, STAY_LOG_NOTE);
SAME(BACKSTAY_LOG_INFO, STAY_LOG_INFO);
SAME(BACKSTAY_LOG_DEBUG, STAY_LOG_DEBUG);

struct stay_host {
    struct backstay_host abi;
    char *name;
    char *scratch;
    const struct stay_cancel *cancel;
    struct stay_value *values; /* one per row of the plugin's option table */
    const struct backstay_value **pointers;
};

static void host_log(const struct backstay_host *abi, int level, const char *fmt, ...)
    STAY_PRINTF(3, 4);
static int host_fail(const struct backstay_host *abi, struct backstay_error *err, int kind,
                     const char *fmt, ...) STAY_PRINTF(4, 5);

static void host_log(const struct backstay_host *abi, int level, const char *fmt, ...)
{
    stay_auto_str char *text = NULL;
    va_list ap;
    int last = BACKSTAY_LOG_DEBUG;
    enum stay_log_level known = (enum stay_log_level)(level < 0 || level > last ? last : level);

    if (!stay_log_enabled(known))
        return;
    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len >= 0)
        stay_log(known, "%s: %s", abi->name, text);
    else
        text = NULL;
}

static int host_fail(const struct backstay_host *abi, struct backstay_error *err, int kind,
                     const char *fmt, ...)
{
    va_list ap;

    (void)abi;
    if (err == NULL || err->size <= offsetof(struct backstay_error, text))
        return -1;
    size_t room = STAY_MIN(err->size - offsetof(struct backstay_error, text), sizeof err->text);
    err->kind = kind;
    va_start(ap, fmt);
    int len = vsnprintf(err->text, room, fmt, ap);
    va_end(ap);
    if (len >= 0 && (size_t)len >= room && room > 4)
        memcpy(err->text + room - 4, "...", 4);
    return -1;
}

static int host_cancelled(const struct backstay_host *abi)
{
    const struct stay_host *host = abi->ctx;

    return stay_cancelled(host->cancel);
}

static int make_scratch(struct stay_host *host, const char *parent, struct stay_err *err)
{
    stay_auto_str char *prefix = stay_strf("%s/backstay-%s-", parent, host->name);

    if (stay_fs_mkdirs(parent, 0700, err) < 0 ||
        stay_fs_make_scratch(&host->scratch, prefix, err) < 0)
        return stay_prefix(err, "make a scratch folder for %s", host->name);
    host->abi.scratch_dir = host->scratch;
    return 0;
}

static void fill_abi(struct stay_host *host, const struct backstay_plugin *plugin, unsigned jobs)
{
    host->pointers = stay_calloc(plugin->n_options, sizeof *host->pointers);
    for (uint32_t i = 0; i < plugin->n_options; i++)
        host->pointers[i] = &host->values[i].abi;
    host->abi = (struct backstay_host){
        .size = sizeof host->abi,
        .abi = BACKSTAY_ABI,
        .name = host->name,
        .values = host->pointers,
        .n_values = plugin->n_options,
        .jobs = jobs ? jobs : 1,
        .ctx = host,
        .log = host_log,
        .fail = host_fail,
        .cancelled = host_cancelled,
    };
}

int stay_host_new(struct stay_host **out, const struct backstay_plugin *plugin,
                  const struct stay_setting *settings, size_t n_settings,
                  const struct stay_host_env *env, struct stay_err *err)
{
    stay_auto(stay_host_free) struct stay_host *host = stay_new(struct stay_host);
    const struct stay_value_scope scope = {
        .plugin = plugin,
        .name = env->name,
        .base_folder = env->base_folder,
        .section = env->section,
    };

    host->name = stay_strdup(env->name);
    host->cancel = env->cancel;
    host->values = stay_calloc(plugin->n_options, sizeof *host->values);
    fill_abi(host, plugin, env->jobs);
    if (stay_values_read(host->values, &scope, settings, n_settings, err) < 0)
        return -1;
    if (env->scratch_parent && make_scratch(host, env->scratch_parent, err) < 0)
        return -1;
    *out = stay_steal(&host);
    return 0;
}

int stay_host_check(const struct backstay_plugin *plugin, const struct stay_setting *settings,
                    size_t n_settings, const struct stay_host_env *env, struct stay_err *err)
{
    struct stay_value *values = stay_calloc(plugin->n_options, sizeof *values);
    const struct stay_value_scope scope = {
        .plugin = plugin,
        .name = env->name,
        .base_folder = env->base_folder,
        .section = env->section,
        .pending = true,
    };
    int outcome = stay_values_read(values, &scope, settings, n_settings, err);

    stay_values_free(values, plugin->n_options);
    return outcome;
}

void stay_host_free(struct stay_host *host)
{
    struct stay_err err = {0};

    if (host == NULL)
        return;
    if (host->scratch && stay_fs_remove_tree(host->scratch, &err) < 0)
        stay_log(STAY_LOG_WARN, "%s", err.text);
    stay_values_free(host->values, host->abi.n_values);
    free(host->pointers);
    free(host->scratch);
    free(host->name);
    free(host);
}

const struct backstay_host *stay_host_abi(const struct stay_host *host)
{
    return &host->abi;
}

const struct stay_cancel *stay_host_cancel(const struct stay_host *host)
{
    return host->cancel;
}

const char *stay_host_name(const struct stay_host *host)
{
    return host->name;
}

int stay_host_error(struct stay_err *err, const struct backstay_error *from)
{
    char text[sizeof from->text];
    size_t len = strnlen(from->text, sizeof text - 1);
    bool known = from->kind > BACKSTAY_ERR_NONE && from->kind <= BACKSTAY_ERR_CANCELLED;

    memcpy(text, from->text, len);
    text[len] = '\0';
    stay_log_redact(text);
    return stay_fail(err, known ? (enum stay_kind)from->kind : STAY_ERR_IO, "%s",
                     len ? text : "failed without saying why");
}
