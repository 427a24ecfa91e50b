/* src/store/repository_find.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * From what a user writes to the one snapshot that is meant, or an answer that says what there is.
 */
#include "store/repository.h"

#include <string.h>

enum { PREFIX_LEAST = 4 };

static int by_instant(const void *a, const void *b)
{
    const struct stay_snapshot_ref *x = a;
    const struct stay_snapshot_ref *y = b;

    if (x->instant_ns != y->instant_ns)
        return x->instant_ns < y->instant_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

int stay_repository_snapshots(const struct stay_repository *repository, const char *source,
                              struct stay_snapshot_list *out, struct stay_err *err)
{
    stay_auto_dest_list struct stay_dest_list list = {0};
    stay_auto_str char *prefix =
        source ? stay_strf("snapshots/%s/", source) : stay_strdup("snapshots/");

    if (stay_dest_list(repository->dest, prefix, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.n; i++) {
        struct stay_snapshot_ref ref;
        if (stay_snapshot_parse_name(&ref, list.items[i].name) == 0)
            *stay_vec_push(out) = ref;
        else
            stay_log(STAY_LOG_WARN, "destination %s: unexpected object %s: ignored",
                     stay_dest_name(repository->dest), list.items[i].name);
    }
    if (out->n)
        qsort(out->items, out->n, sizeof *out->items, by_instant);
    return 0;
}

static bool several_sources(const struct stay_snapshot_list *list)
{
    for (size_t i = 1; i < list->n; i++)
        if (strcmp(list->items[i].source, list->items[0].source) != 0)
            return true;
    return false;
}

static int find_latest(const struct stay_snapshot_list *list, const char *source,
                       struct stay_snapshot_ref *out, struct stay_err *err)
{
    if (source == NULL && several_sources(list))
        return stay_fail(err, STAY_ERR_USAGE,
                         "\"latest\" is ambiguous: there are snapshots of several sources; say "
                         "SOURCE@latest, for example %s@latest",
                         list->items[0].source);
    *out = list->items[list->n - 1];
    return 0;
}

/* The newest not after a moment. Names carry whole seconds, so the fraction does not count. */
static int find_time(const struct stay_snapshot_list *list, int64_t at_ns, const char *text,
                     struct stay_snapshot_ref *out, struct stay_err *err)
{
    char oldest[40];

    for (size_t i = list->n; i-- > 0;) {
        if (list->items[i].instant_ns <= at_ns) {
            *out = list->items[i];
            return 0;
        }
    }
    return stay_fail(err, STAY_ERR_ABSENT, "no snapshot is as old as %s: the oldest is from %s",
                     text, stay_time_iso(oldest, list->items[0].instant_ns));
}

static int find_prefix(const struct stay_snapshot_list *list, const char *prefix,
                       struct stay_snapshot_ref *out, struct stay_err *err)
{
    size_t found = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (stay_str_starts(list->items[i].id, prefix)) {
            *out = list->items[i];
            found++;
        }
    }
    if (found > 1)
        return stay_fail(err, STAY_ERR_USAGE, "%zu snapshots begin with \"%s\": give more digits",
                         found, prefix);
    if (found == 0)
        return stay_fail(err, STAY_ERR_ABSENT,
                         "no snapshot \"%s\"; \"backstay list\" shows the %zu there are", prefix,
                         list->n);
    return 0;
}

static bool is_prefix(const char *text)
{
    size_t len = strlen(text);

    return len >= PREFIX_LEAST && len <= STAY_SNAPSHOT_ID &&
           strspn(text, "0123456789abcdef") == len;
}

static int find_in(const struct stay_snapshot_list *list, const char *source, const char *point,
                   struct stay_snapshot_ref *out, struct stay_err *err)
{
    int64_t at_ns;

    if (strcmp(point, "latest") == 0)
        return find_latest(list, source, out, err);
    if (strcmp(point, "proven") == 0)
        return stay_fail(err, STAY_ERR_ABSENT,
                         "no snapshot is proven: verification by restore is not part of this "
                         "version; use \"latest\"");
    if (is_prefix(point))
        return find_prefix(list, point, out, err);
    if (stay_time_parse(point, &at_ns) == 0) {
        if (source == NULL && several_sources(list))
            return stay_fail(err, STAY_ERR_USAGE, "a time needs its source: SOURCE@%s", point);
        return find_time(list, at_ns, point, out, err);
    }
    return stay_fail(err, STAY_ERR_USAGE,
                     "\"%s\" names no snapshot: use SOURCE@latest, SOURCE@2026-11-22T02:30 or at "
                     "least %d digits of an id",
                     point, PREFIX_LEAST);
}

int stay_repository_find(const struct stay_repository *repository, const char *spec,
                         struct stay_snapshot_ref *out, struct stay_err *err)
{
    struct stay_snapshot_list list = {0};
    const char *at = strchr(spec, '@');
    stay_auto_str char *source = at ? stay_memdup(spec, (size_t)(at - spec)) : NULL;

    int rc = stay_repository_snapshots(repository, source, &list, err);
    if (rc == 0 && list.n > 0)
        rc = find_in(&list, source, at ? at + 1 : spec, out, err);
    else if (rc == 0)
        rc = stay_fail(err, STAY_ERR_ABSENT, "there is no snapshot%s%s on destination %s",
                       source ? " of source " : "", source ? source : "",
                       stay_dest_name(repository->dest));
    stay_vec_free(&list);
    return rc;
}
