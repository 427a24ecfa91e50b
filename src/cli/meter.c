/* src/cli/meter.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/meter.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define REDRAW_NS (200 * STAY_NS_PER_MS)
#define REMIND_NS (30 * STAY_NS_PER_S)
#define CLEAR     "\r\033[K"

enum { USUAL_COLUMNS = 80 };

struct stay_meter {
    const struct stay_progress *progress;
    struct stay_meter_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* over all below and the line on the terminal */
    pthread_cond_t changed;
    bool stopping;
    struct stay_buf line; /* as it stands on the terminal */
    double rate;          /* bytes per second, smoothed */
    uint64_t bytes_then;
    int64_t time_then_ns;
    const char *phase_then;
};

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_entries(struct stay_buf *out, uint64_t done, uint64_t total)
{
    if (total > done)
        stay_buf_printf(out, "  %" PRIu64 "/%" PRIu64 " entries", done, total);
    else if (done)
        stay_buf_printf(out, "  %" PRIu64 " entries", done);
}

static void add_bytes(struct stay_buf *out, uint64_t done, uint64_t total, double rate)
{
    char text[24];

    stay_buf_printf(out, "  %s", stay_str_bytes(text, done));
    if (total >= done && total > 0)
        stay_buf_printf(out, "/%s  %u%%", stay_str_bytes(text, total),
                        (unsigned)((double)done * 100 / (double)total));
    if (rate < 1)
        return;
    stay_buf_printf(out, "  %s/s", stay_str_bytes(text, (uint64_t)rate));
    if (total > done) {
        double left_ns = (double)(total - done) / rate * (double)STAY_NS_PER_S;
        if (left_ns < 100.0 * 86400 * (double)STAY_NS_PER_S)
            stay_buf_printf(out, "  ETA %s", stay_str_elapsed(text, (int64_t)left_ns));
    }
}

void stay_meter_line(struct stay_buf *out, const struct stay_progress *progress, double rate,
                     size_t columns)
{
    const char *phase = atomic_load(&progress->phase);
    size_t before = out->len;

    stay_buf_str(out, phase ? phase : "starting");
    add_entries(out, read_counter(&progress->entries_done), read_counter(&progress->entries_total));
    add_bytes(out, read_counter(&progress->bytes_done), read_counter(&progress->bytes_total), rate);
    if (out->len - before > columns) {
        out->len = before + columns;
        out->data[out->len] = '\0';
    }
}

/* The speed of about the last three seconds; a new phase begins afresh. */
static void measure(struct stay_meter *meter)
{
    uint64_t bytes = read_counter(&meter->progress->bytes_done);
    int64_t now_ns = stay_clock_mono(stay_clock_system());
    const char *phase = atomic_load(&meter->progress->phase);
    double seconds = (double)(now_ns - meter->time_then_ns) / (double)STAY_NS_PER_S;

    if (phase != meter->phase_then || bytes < meter->bytes_then) {
        meter->rate = 0;
    } else if (seconds > 0) {
        double now = (double)(bytes - meter->bytes_then) / seconds;
        double weight = STAY_MIN(seconds / 3, 1.0);
        meter->rate = meter->rate > 0 ? meter->rate + weight * (now - meter->rate) : now;
    }
    meter->phase_then = phase;
    meter->bytes_then = bytes;
    meter->time_then_ns = now_ns;
}

static size_t columns_of(FILE *to)
{
    struct winsize size = {0};

    if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1U;
    return USUAL_COLUMNS - 1;
}

static void draw_locked(struct stay_meter *meter)
{
    (void)fprintf(meter->options.to, CLEAR "%s", meter->line.len ? meter->line.data : "");
    (void)fflush(meter->options.to);
}

static void step_aside(void *ctx)
{
    struct stay_meter *meter = ctx;

    (void)pthread_mutex_lock(&meter->mutex);
    (void)fputs(CLEAR, meter->options.to);
    (void)fflush(meter->options.to);
}

static void step_back(void *ctx)
{
    struct stay_meter *meter = ctx;

    draw_locked(meter);
    (void)pthread_mutex_unlock(&meter->mutex);
}

/* Waits for the next moment to show something. @return false when the meter is stopping. */
static bool await_moment_locked(struct stay_meter *meter)
{
    int64_t wait_ns = meter->options.terminal ? meter->options.redraw_ns : meter->options.remind_ns;
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    wait_ns += until.tv_nsec;
    until.tv_sec += (time_t)(wait_ns / STAY_NS_PER_S);
    until.tv_nsec = (long)(wait_ns % STAY_NS_PER_S);
    while (!meter->stopping)
        if (pthread_cond_timedwait(&meter->changed, &meter->mutex, &until) != 0)
            break;
    return !meter->stopping;
}

static void *show(void *ctx)
{
    struct stay_meter *meter = ctx;

    (void)pthread_mutex_lock(&meter->mutex);
    while (await_moment_locked(meter)) {
        measure(meter);
        stay_buf_clear(&meter->line);
        stay_meter_line(&meter->line, meter->progress, meter->rate,
                        meter->options.terminal ? columns_of(meter->options.to) : SIZE_MAX);
        if (meter->options.terminal) {
            draw_locked(meter);
            continue;
        }
        /* The log may call back: never with the mutex held. */
        stay_auto_str char *line = stay_strdup(meter->line.data);
        (void)pthread_mutex_unlock(&meter->mutex);
        stay_log(STAY_LOG_NOTE, "%s", line);
        (void)pthread_mutex_lock(&meter->mutex);
    }
    (void)pthread_mutex_unlock(&meter->mutex);
    return NULL;
}

static void init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static void release(struct stay_meter *meter)
{
    (void)pthread_mutex_destroy(&meter->mutex);
    (void)pthread_cond_destroy(&meter->changed);
    stay_buf_free(&meter->line);
    free(meter);
}

int stay_meter_start(struct stay_meter **out, const struct stay_progress *progress,
                     const struct stay_meter_options *options, struct stay_err *err)
{
    struct stay_meter *meter = NULL;

    *out = NULL;
    if (options->quiet)
        return 0;
    meter = stay_new(struct stay_meter);
    meter->progress = progress;
    meter->options = *options;
    meter->options.redraw_ns = options->redraw_ns ? options->redraw_ns : REDRAW_NS;
    meter->options.remind_ns = options->remind_ns ? options->remind_ns : REMIND_NS;
    (void)pthread_mutex_init(&meter->mutex, NULL);
    init_cond(&meter->changed);
    measure(meter);
    int code = pthread_create(&meter->thread, NULL, show, meter);
    if (code != 0) {
        release(meter);
        return stay_fail(err, STAY_ERR_IO, "start a thread for the progress line: %s",
                         strerror(code));
    }
    if (meter->options.terminal)
        stay_log_around(step_aside, step_back, meter);
    *out = meter;
    return 0;
}

void stay_meter_free(struct stay_meter *meter)
{
    if (meter == NULL)
        return;
    if (meter->options.terminal)
        stay_log_around(NULL, NULL, NULL);
    (void)pthread_mutex_lock(&meter->mutex);
    meter->stopping = true;
    (void)pthread_cond_signal(&meter->changed);
    (void)pthread_mutex_unlock(&meter->mutex);
    (void)pthread_join(meter->thread, NULL);
    if (meter->options.terminal) {
        (void)fputs(CLEAR, meter->options.to);
        (void)fflush(meter->options.to);
    }
    release(meter);
}
