/* src/plugin/source.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin/source.h"

#include "plugin/host.h"

#include <string.h>

struct stay_source {
    char *name;
    char *type;
    struct stay_host *host; /* NULL when wrapped */
    const struct backstay_source *ops;
    void *self;
};

/* Whether the plugin offers a function: its struct may be older than ours. */
#define OFFERS(source, member) (BACKSTAY_HAS((source)->ops, member) && (source)->ops->member)

static int mark(const struct stay_source *source, struct stay_err *err)
{
    (void)stay_prefix(err, "source %s", source->name);
    if (err)
        err->origin = STAY_ORIGIN_SOURCE;
    return -1;
}

static int fail_missing_function(const struct stay_source *source, const char *what,
                                 struct stay_err *err)
{
    (void)stay_fail(err, STAY_ERR_CONFIG, "its plugin %s cannot %s", source->type, what);
    return mark(source, err);
}

static int finish(const struct stay_source *source, const char *verb, int outcome,
                  const struct backstay_error *from, struct stay_err *err)
{
    if (outcome == 0)
        return 0;
    if (outcome < 0)
        (void)stay_host_error(err, from);
    else
        (void)stay_fail(err, STAY_ERR_IO, "the plugin answered %s with %d, which means nothing",
                        verb, outcome);
    return mark(source, err);
}

struct stay_source *stay_source_wrap(const char *name, const char *type,
                                     const struct backstay_source *ops, void *self)
{
    struct stay_source *source = stay_new(struct stay_source);

    source->name = stay_strdup(name);
    source->type = stay_strdup(type);
    source->ops = ops;
    source->self = self;
    return source;
}

int stay_source_open(struct stay_source **out, struct stay_host *host, const char *type,
                     const struct backstay_source *ops, struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap(stay_host_name(host), type, ops, NULL);

    source->host = host;
    if (!OFFERS(source, open))
        return fail_missing_function(source, "be opened", err);
    int outcome = ops->open(stay_host_abi(host), &source->self, &from);
    if (outcome != 0) {
        source->self = NULL;
        return finish(source, "open", outcome, &from, err);
    }
    *out = stay_steal(&source);
    return 0;
}

void stay_source_free(struct stay_source *source)
{
    if (source == NULL)
        return;
    if (source->self && OFFERS(source, close))
        source->ops->close(source->self);
    stay_host_free(source->host);
    free(source->name);
    free(source->type);
    free(source);
}

const char *stay_source_name(const struct stay_source *source)
{
    return source->name;
}

const char *stay_source_type(const struct stay_source *source)
{
    return source->type;
}

int stay_source_check(struct stay_source *source, struct backstay_report *report,
                      struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};

    if (!OFFERS(source, check))
        return fail_missing_function(source, "check itself", err);
    return finish(source, "check", source->ops->check(source->self, report, &from), &from, err);
}

int stay_source_backup(struct stay_source *source, struct backstay_sink *sink, struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};

    if (!OFFERS(source, backup))
        return fail_missing_function(source, "back up", err);
    return finish(source, "backup", source->ops->backup(source->self, sink, &from), &from, err);
}

int stay_source_restore(struct stay_source *source, const struct backstay_target *target,
                        struct backstay_feed *feed, struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};

    if (!OFFERS(source, restore))
        return fail_missing_function(source, "restore", err);
    return finish(source, "restore", source->ops->restore(source->self, target, feed, &from), &from,
                  err);
}

const struct backstay_option *const *stay_source_restore_options(const struct backstay_source *ops,
                                                                 size_t *n)
{
    bool offered = BACKSTAY_HAS(ops, n_restore_options) && ops->restore_options;

    *n = offered ? ops->n_restore_options : 0;
    return offered ? ops->restore_options : NULL;
}

static bool knows_option(const struct stay_source *source, const char *name)
{
    size_t n;
    const struct backstay_option *const *options = stay_source_restore_options(source->ops, &n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(options[i]->name, name) == 0)
            return true;
    return false;
}

int stay_source_check_target(const struct stay_source *source, const struct backstay_target *target,
                             struct stay_err *err)
{
    for (uint32_t i = 0; i < target->n_options; i++) {
        if (knows_option(source, target->options[i].key))
            continue;
        (void)stay_fail(err, STAY_ERR_USAGE,
                        "its plugin %s does not know the restore option \"%s\"", source->type,
                        target->options[i].key);
        return mark(source, err);
    }
    return 0;
}

bool stay_source_compares(const struct stay_source *source)
{
    return OFFERS(source, probe) && OFFERS(source, covers);
}

bool stay_source_covers(const struct stay_source *source, const struct backstay_target *target,
                        const char *fact)
{
    return source->ops->covers(source->self, target, fact) != 0;
}

int stay_source_probe(struct stay_source *source, const struct backstay_target *target,
                      struct backstay_report *report, struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};

    if (!OFFERS(source, probe))
        return fail_missing_function(source, "report facts", err);
    return finish(source, "probe", source->ops->probe(source->self, target, report, &from), &from,
                  err);
}

int stay_source_scratch_create(struct stay_source *source, struct backstay_scratch *out,
                               struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};

    if (!OFFERS(source, scratch_create) || !OFFERS(source, scratch_remove))
        return fail_missing_function(
            source,
            "make a scratch place: name a place of your own (./scratch is the folder of that name)",
            err);
    int rc = source->ops->scratch_create(source->self, out, &from);
    out->location[sizeof out->location - 1] = '\0';
    out->marker[sizeof out->marker - 1] = '\0';
    out->hint[sizeof out->hint - 1] = '\0';
    if (rc == 0 && (out->location[0] == '\0' || out->marker[0] == '\0')) {
        (void)stay_fail(
            err, STAY_ERR_IO,
            "the plugin made a scratch place without saying where, or without a marker");
        return mark(source, err);
    }
    return finish(source, "scratch_create", rc, &from, err);
}

int stay_source_scratch_remove(struct stay_source *source, const char *marker, struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};
    struct backstay_scratch scratch = {.size = sizeof scratch};

    if (!OFFERS(source, scratch_remove))
        return fail_missing_function(source, "remove a scratch place: it makes none", err);
    if (strlen(marker) >= sizeof scratch.marker) {
        (void)stay_fail(err, STAY_ERR_USAGE, "`%s` is no marker of a scratch place", marker);
        return mark(source, err);
    }
    (void)snprintf(scratch.marker, sizeof scratch.marker, "%s", marker);
    return finish(source, "scratch_remove",
                  source->ops->scratch_remove(source->self, &scratch, &from), &from, err);
}
