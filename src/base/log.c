/* src/base/log.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/vec.h"

#include <pthread.h>
#include <string.h>

static struct {
    pthread_mutex_t mutex;
    FILE *to;
    enum stay_log_format format;
    enum stay_log_level most;
    STAY_VEC(char *) secrets;
    void (*before)(void *);
    void (*after)(void *);
    void *ctx;
} logger = {.mutex = PTHREAD_MUTEX_INITIALIZER, .most = STAY_LOG_NOTE};

static const char *const level_names[] = {"error", "warning", "note", "info", "debug"};

void stay_log_setup(FILE *to, enum stay_log_format format, enum stay_log_level most)
{
    (void)pthread_mutex_lock(&logger.mutex);
    logger.to = to;
    logger.format = format;
    logger.most = most;
    (void)pthread_mutex_unlock(&logger.mutex);
}

bool stay_log_enabled(enum stay_log_level level)
{
    return level <= logger.most;
}

void stay_log_hide(const char *secret)
{
    if (strlen(secret) < 4)
        return;
    (void)pthread_mutex_lock(&logger.mutex);
    (void)stay_vec_push(&logger.secrets);
    size_t at = logger.secrets.n - 1;
    /* Longest first: one that begins another must not leave the rest of that one readable. */
    for (; at > 0 && strlen(logger.secrets.items[at - 1]) < strlen(secret); at--)
        logger.secrets.items[at] = logger.secrets.items[at - 1];
    logger.secrets.items[at] = stay_strdup(secret);
    (void)pthread_mutex_unlock(&logger.mutex);
}

static void redact_locked(char *text)
{
    for (size_t i = 0; i < logger.secrets.n; i++) {
        const char *secret = logger.secrets.items[i];
        size_t len = strlen(secret);
        for (char *at = strstr(text, secret); at; at = strstr(at + 3, secret)) {
            memcpy(at, "***", 3);
            memmove(at + 3, at + len, strlen(at + len) + 1);
        }
    }
}

void stay_log_redact(char *text)
{
    (void)pthread_mutex_lock(&logger.mutex);
    redact_locked(text);
    (void)pthread_mutex_unlock(&logger.mutex);
}

static void write_text(FILE *to, enum stay_log_level level, const char *text)
{
    if (level == STAY_LOG_ERROR || level == STAY_LOG_WARN || level == STAY_LOG_DEBUG)
        (void)fprintf(to, "backstay: %s: %s\n", level_names[level], text);
    else
        (void)fprintf(to, "%s\n", text);
}

static void write_json(FILE *to, enum stay_log_level level, const char *text)
{
    char now[40];
    stay_auto_buf struct stay_buf line = {0};

    stay_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":",
                    stay_time_iso(now, stay_clock_now(stay_clock_system())), level_names[level]);
    stay_json_add_string(&line, text, strlen(text));
    stay_buf_str(&line, "}\n");
    (void)fwrite(line.data, 1, line.len, to);
}

void stay_vlog(enum stay_log_level level, const char *fmt, va_list ap)
{
    char *text = NULL;

    if (level > logger.most || vasprintf(&text, fmt, ap) < 0)
        return;
    (void)pthread_mutex_lock(&logger.mutex);
    redact_locked(text);
    if (logger.before)
        logger.before(logger.ctx);
    FILE *to = logger.to ? logger.to : stderr;
    if (logger.format == STAY_LOG_JSON)
        write_json(to, level, text);
    else
        write_text(to, level, text);
    (void)fflush(to);
    if (logger.after)
        logger.after(logger.ctx);
    (void)pthread_mutex_unlock(&logger.mutex);
    free(text);
}

void stay_log(enum stay_log_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    stay_vlog(level, fmt, ap);
    va_end(ap);
}

void stay_log_around(void (*before)(void *ctx), void (*after)(void *ctx), void *ctx)
{
    (void)pthread_mutex_lock(&logger.mutex);
    logger.before = before;
    logger.after = after;
    logger.ctx = ctx;
    (void)pthread_mutex_unlock(&logger.mutex);
}

void stay_log_reset(void)
{
    (void)pthread_mutex_lock(&logger.mutex);
    for (size_t i = 0; i < logger.secrets.n; i++) {
        stay_wipe(logger.secrets.items[i], strlen(logger.secrets.items[i]));
        free(logger.secrets.items[i]);
    }
    stay_vec_free(&logger.secrets);
    logger.to = NULL;
    logger.format = STAY_LOG_TEXT;
    logger.most = STAY_LOG_NOTE;
    logger.before = logger.after = NULL;
    (void)pthread_mutex_unlock(&logger.mutex);
}
