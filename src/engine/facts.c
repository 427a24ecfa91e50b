/* src/engine/facts.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/facts.h"

#include <pthread.h>
#include <string.h>

/* What a copy reports. */
struct probe {
    pthread_mutex_t mutex;  /* over the map */
    struct stay_map *found; /* from name to value */
    struct stay_progress *progress;
};

static void probe_finding(struct backstay_report *abi, int severity, const char *subject,
                          const char *fmt, ...) STAY_PRINTF(4, 5);

/* What is worth a finding to a preflight is worth a line of the log here. */
static void probe_finding(struct backstay_report *abi, int severity, const char *subject,
                          const char *fmt, ...)
{
    enum stay_log_level level = severity >= BACKSTAY_WARNING ? STAY_LOG_WARN : STAY_LOG_INFO;
    char text[1024];
    va_list ap;

    (void)abi;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    stay_log(level, "%s: %s", subject, text);
}

static void probe_fact(struct backstay_report *abi, const char *name, const char *value)
{
    struct probe *probe = abi->ctx;

    (void)pthread_mutex_lock(&probe->mutex);
    stay_map_set(probe->found, name, strlen(name), stay_strdup(value));
    (void)pthread_mutex_unlock(&probe->mutex);
    if (probe->progress)
        stay_progress_add(&probe->progress->entries_done, 1);
}

static int ask(const struct stay_comparison_options *options, struct probe *probe,
               struct stay_err *err)
{
    struct backstay_report report = {
        .size = sizeof report, .ctx = probe, .finding = probe_finding, .fact = probe_fact};

    (void)pthread_mutex_init(&probe->mutex, NULL);
    int rc = stay_source_probe(options->source, options->target, &report, err);
    (void)pthread_mutex_destroy(&probe->mutex);
    if (rc < 0 && stay_cancelled(options->cancel))
        return stay_fail_cancelled(err);
    return rc;
}

static bool is_word(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789._-") == strlen(text);
}

/* How long the NAME of NAME@X is; 0: the name has no such end. */
static size_t base_length(const char *name)
{
    const char *at = strrchr(name, '@');

    return at && is_word(at + 1) ? (size_t)(at - name) : 0;
}

static void note(struct stay_comparison *out, enum stay_fact_verdict verdict, const char *name,
                 const char *recorded, const char *found)
{
    out->counts[verdict]++;
    if (verdict == STAY_FACT_EQUAL)
        return;
    *stay_vec_push(&out->facts) = (struct stay_fact){
        .verdict = verdict,
        .name = stay_strdup(name),
        .recorded = recorded ? stay_strdup(recorded) : NULL,
        .found = found ? stay_strdup(found) : NULL,
    };
}

static void judge_recorded(const struct stay_line *line, const struct stay_map *found_facts,
                           struct stay_comparison *out)
{
    const char *found = stay_map_get(found_facts, line->key, strlen(line->key));
    enum stay_fact_verdict verdict = STAY_FACT_EQUAL;

    if (found == NULL)
        verdict = base_length(line->key) ? STAY_FACT_INCOMPARABLE : STAY_FACT_MISSING;
    else if (strcmp(found, line->value) != 0)
        verdict = STAY_FACT_DIFFERENT;
    out->in_scope++;
    note(out, verdict, line->key, line->value, found);
}

/* NAME@16 is no surprise where NAME@15 was recorded: the recorded one is judged incomparable. */
static void judge_found(const struct stay_comparison_options *options, const struct probe *probe,
                        const struct stay_map *known, struct stay_comparison *out)
{
    const void *key;
    void *value;
    size_t len;

    for (size_t at = 0; stay_map_next(probe->found, &at, &key, &len, &value);) {
        stay_auto_str char *name = stay_memdup(key, len);
        size_t base = base_length(name);
        if (!stay_map_get(known, name, len) && !(base && stay_map_get(known, name, base + 1)) &&
            stay_source_covers(options->source, options->target, name))
            note(out, STAY_FACT_UNEXPECTED, name, NULL, value);
    }
}

/* The names that were recorded; of NAME@X also "NAME@". */
static struct stay_map *names_of(const struct stay_lines *recorded)
{
    struct stay_map *known = stay_map_new(NULL);

    for (size_t i = 0; i < recorded->n; i++) {
        struct stay_line *line = &recorded->items[i];
        size_t base = base_length(line->key);
        stay_map_set(known, line->key, strlen(line->key), line);
        if (base)
            stay_map_set(known, line->key, base + 1, line);
    }
    return known;
}

static int by_name(const void *a, const void *b)
{
    const struct stay_fact *left = a;
    const struct stay_fact *right = b;

    return strcmp(left->name, right->name);
}

static void begin_phase(const struct stay_comparison_options *options)
{
    struct stay_progress *progress = options->progress;

    if (progress == NULL)
        return;
    atomic_store(&progress->entries_done, 0);
    atomic_store(&progress->bytes_done, 0);
    atomic_store(&progress->bytes_total, 0);
    atomic_store(&progress->entries_total, options->recorded->n);
    atomic_store(&progress->phase, "comparing");
}

int stay_facts_compare(const struct stay_comparison_options *options, struct stay_comparison *out,
                       struct stay_err *err)
{
    stay_auto(stay_map_free) struct stay_map *found = stay_map_new(free);
    struct probe probe = {.found = found, .progress = options->progress};

    *out = (struct stay_comparison){.damage = options->recorded->damage};
    begin_phase(options);
    if (ask(options, &probe, err) < 0)
        return -1;
    for (size_t i = 0; i < options->recorded->n; i++)
        if (stay_source_covers(options->source, options->target, options->recorded->items[i].key))
            judge_recorded(&options->recorded->items[i], found, out);
    if (!options->limited && out->damage.kind == STAY_ERR_NONE) {
        stay_auto(stay_map_free) struct stay_map *known = names_of(options->recorded);
        judge_found(options, &probe, known, out);
    }
    if (out->facts.n)
        qsort(out->facts.items, out->facts.n, sizeof *out->facts.items, by_name);
    return 0;
}

void stay_comparison_free(struct stay_comparison *comparison)
{
    for (size_t i = 0; i < comparison->facts.n; i++) {
        free(comparison->facts.items[i].name);
        free(comparison->facts.items[i].recorded);
        free(comparison->facts.items[i].found);
    }
    stay_vec_free(&comparison->facts);
    *comparison = (struct stay_comparison){0};
}

enum stay_comparison_outcome stay_comparison_outcome(const struct stay_comparison *comparison)
{
    const uint64_t *counts = comparison->counts;

    if (counts[STAY_FACT_DIFFERENT] || counts[STAY_FACT_MISSING] || counts[STAY_FACT_UNEXPECTED])
        return STAY_COMPARISON_DIFFERENT;
    if (comparison->damage.kind != STAY_ERR_NONE)
        return STAY_COMPARISON_DAMAGED;
    return counts[STAY_FACT_EQUAL] ? STAY_COMPARISON_EQUAL : STAY_COMPARISON_NOTHING;
}

const char *stay_fact_verdict_name(enum stay_fact_verdict verdict)
{
    static const char *const names[STAY_FACT_VERDICTS] = {"equal", "different", "missing",
                                                          "unexpected", "incomparable"};

    return names[verdict];
}
