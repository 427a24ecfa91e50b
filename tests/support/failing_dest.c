/* tests/support/failing_dest.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/failing_dest.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

struct rule {
    struct stay_failing_rule rule;
    unsigned seen; /* matching calls so far */
};

struct stay_failing_dest {
    const struct backstay_destination *inner;
    void *self;
    struct stay_dest_log *log;
    pthread_mutex_t mutex; /* guards the rest */
    STAY_VEC(struct rule) rules;
    unsigned hits;
};

typedef int put_fn(void *self, const char *name, const void *data, size_t len,
                   struct backstay_error *err);

struct stay_failing_dest *stay_failing_dest_new(const struct backstay_destination *inner,
                                                void *self)
{
    struct stay_failing_dest *failing = stay_new(struct stay_failing_dest);

    failing->inner = inner;
    failing->self = self;
    failing->log = stay_dest_log_new();
    (void)pthread_mutex_init(&failing->mutex, NULL);
    return failing;
}

void stay_failing_dest_free(struct stay_failing_dest *failing)
{
    if (failing == NULL)
        return;
    stay_vec_free(&failing->rules);
    stay_dest_log_free(failing->log);
    (void)pthread_mutex_destroy(&failing->mutex);
    free(failing);
}

void stay_failing_dest_add(struct stay_failing_dest *failing, const struct stay_failing_rule *rule)
{
    struct rule *added = stay_vec_push(&failing->rules);

    *added = (struct rule){*rule, 0};
    added->rule.nth = rule->nth ? rule->nth : 1;
    added->rule.times = rule->times ? rule->times : 1;
    added->rule.kind = rule->kind ? rule->kind : BACKSTAY_ERR_IO;
}

void stay_failing_dest_heal(struct stay_failing_dest *failing)
{
    stay_vec_free(&failing->rules);
}

unsigned stay_failing_dest_hits(const struct stay_failing_dest *failing)
{
    return failing->hits;
}

const struct stay_dest_log *stay_failing_dest_log(const struct stay_failing_dest *failing)
{
    return failing->log;
}

static bool matches(const struct stay_failing_rule *rule, enum stay_dest_op op, const char *name)
{
    return (rule->op == STAY_DEST_OP_ANY || rule->op == op) &&
           (rule->prefix == NULL || stay_str_starts(name, rule->prefix));
}

/* Counts the call with every rule that matches. @return whether one names it, copied to @out. */
static bool choose(struct stay_failing_dest *failing, enum stay_dest_op op, const char *name,
                   struct stay_failing_rule *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&failing->mutex);
    for (size_t i = 0; i < failing->rules.n; i++) {
        struct rule *rule = &failing->rules.items[i];
        if (!matches(&rule->rule, op, name))
            continue;
        unsigned number = ++rule->seen;
        bool due = number >= rule->rule.nth && number - rule->rule.nth < rule->rule.times;
        if (due && !found) {
            *out = rule->rule;
            found = true;
        }
    }
    failing->hits += found;
    (void)pthread_mutex_unlock(&failing->mutex);
    return found;
}

static int spoil(struct backstay_error *err, int kind, enum stay_dest_op op, const char *name)
{
    err->kind = kind;
    (void)snprintf(err->text, sizeof err->text, "made to fail: %s %s", stay_dest_op_name(op), name);
    return -1;
}

static int leave(struct stay_failing_dest *failing, const struct stay_dest_entry *entry, int rc)
{
    struct stay_dest_entry copy = *entry;

    copy.outcome = rc;
    stay_dest_log_add(failing->log, &copy);
    return rc;
}

static int put_spoilt(struct stay_failing_dest *failing, const struct stay_failing_rule *rule,
                      put_fn *put, const struct stay_dest_entry *entry, const void *data,
                      struct backstay_error *err)
{
    size_t len = (size_t)entry->bytes;
    stay_auto_free char *copy = stay_memdup(data, len);
    int rc = 0;

    if (rule->how == STAY_FAILING_CORRUPT && rule->offset < len)
        copy[rule->offset] ^= 1;
    if (rule->how == STAY_FAILING_TORN || rule->how == STAY_FAILING_SHORT)
        len /= 2;
    if (rule->how != STAY_FAILING_BEFORE)
        rc = put(failing->self, entry->name, copy, len, err);
    if (rule->how == STAY_FAILING_CORRUPT || rule->how == STAY_FAILING_SHORT)
        return rc;
    return spoil(err, rule->kind, entry->op, entry->name);
}

static int put(struct stay_failing_dest *failing, put_fn *inner,
               const struct stay_dest_entry *entry, const void *data, struct backstay_error *err)
{
    struct stay_failing_rule rule;

    if (choose(failing, entry->op, entry->name, &rule))
        return leave(failing, entry, put_spoilt(failing, &rule, inner, entry, data, err));
    return leave(failing, entry,
                 inner(failing->self, entry->name, data, (size_t)entry->bytes, err));
}

static int failing_put(void *self, const char *name, const void *data, size_t len,
                       struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_PUT, name, 0, len, 0};

    return put(failing, failing->inner->put, &entry, data, err);
}

static int failing_put_if_absent(void *self, const char *name, const void *data, size_t len,
                                 struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_PUT_IF_ABSENT, name, 0, len, 0};

    return put(failing, failing->inner->put_if_absent, &entry, data, err);
}

static int failing_get(void *self, const char *name, uint64_t offset, void *data, size_t len,
                       size_t *got, struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_GET, name, offset, len, 0};
    struct stay_failing_rule rule;
    bool spoilt = choose(failing, entry.op, name, &rule);

    *got = 0;
    if (spoilt && rule.how == STAY_FAILING_BEFORE)
        return leave(failing, &entry, spoil(err, rule.kind, entry.op, name));
    int rc = failing->inner->get(failing->self, name, offset, data, len, got, err);
    if (!spoilt || rc != 0)
        return leave(failing, &entry, rc);
    if (rule.how == STAY_FAILING_CORRUPT && rule.offset < *got)
        ((char *)data)[rule.offset] ^= 1;
    if (rule.how == STAY_FAILING_SHORT || rule.how == STAY_FAILING_TORN)
        *got /= 2;
    if (rule.how == STAY_FAILING_CORRUPT || rule.how == STAY_FAILING_SHORT)
        return leave(failing, &entry, 0);
    return leave(failing, &entry, spoil(err, rule.kind, entry.op, name));
}

/* Lets half of a listing through. */
struct half {
    int (*each)(void *ctx, const struct backstay_object *object);
    void *ctx;
    bool skip;
};

static int every_other(void *ctx, const struct backstay_object *object)
{
    struct half *half = ctx;

    half->skip = !half->skip;
    return half->skip ? 0 : half->each(half->ctx, object);
}

static int failing_list(void *self, const char *prefix,
                        int (*each)(void *ctx, const struct backstay_object *object), void *ctx,
                        struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_LIST, prefix, 0, 0, 0};
    struct half half = {each, ctx, false};
    struct stay_failing_rule rule;

    if (!choose(failing, entry.op, prefix, &rule))
        return leave(failing, &entry, failing->inner->list(failing->self, prefix, each, ctx, err));
    if (rule.how == STAY_FAILING_TORN || rule.how == STAY_FAILING_SHORT) {
        int rc = failing->inner->list(failing->self, prefix, every_other, &half, err);
        if (rc != 0 || rule.how == STAY_FAILING_SHORT)
            return leave(failing, &entry, rc);
    }
    return leave(failing, &entry, spoil(err, rule.kind, entry.op, prefix));
}

static int failing_remove(void *self, const char *name, struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_REMOVE, name, 0, 0, 0};
    struct stay_failing_rule rule;
    bool spoilt = choose(failing, entry.op, name, &rule);

    if (!spoilt || rule.how == STAY_FAILING_AFTER) {
        int rc = failing->inner->remove(failing->self, name, err);
        if (!spoilt)
            return leave(failing, &entry, rc);
    }
    return leave(failing, &entry, spoil(err, rule.kind, entry.op, name));
}

static int failing_space(void *self, struct backstay_space *out, struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_SPACE, "", 0, 0, 0};
    struct stay_failing_rule rule;

    if (choose(failing, entry.op, "", &rule))
        return leave(failing, &entry, spoil(err, rule.kind, entry.op, ""));
    return leave(failing, &entry, failing->inner->space(failing->self, out, err));
}

static int failing_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    struct stay_failing_dest *failing = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_CHECK, "", 0, 0, 0};
    struct stay_failing_rule rule;

    if (choose(failing, entry.op, "", &rule))
        return leave(failing, &entry, spoil(err, rule.kind, entry.op, ""));
    return leave(failing, &entry, failing->inner->check(failing->self, report, err));
}

const struct backstay_destination *stay_failing_dest_ops(void)
{
    static const struct backstay_destination ops = {
        .size = sizeof ops,
        .check = failing_check,
        .put = failing_put,
        .put_if_absent = failing_put_if_absent,
        .get = failing_get,
        .list = failing_list,
        .remove = failing_remove,
        .space = failing_space,
    };

    return &ops;
}
