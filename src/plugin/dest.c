/* src/plugin/dest.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin/dest.h"

#include "plugin/host.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { TRIES = 5 };

#define FIRST_WAIT_NS (100 * STAY_NS_PER_MS)
#define MOST_WAIT_NS  (5 * STAY_NS_PER_S)
#define SLICE_NS      (50 * STAY_NS_PER_MS) /* how soon a wait notices that it was cancelled */

struct stay_dest {
    char *name;
    struct stay_host *host; /* NULL when wrapped */
    const struct backstay_destination *ops;
    void *self;
    const struct stay_cancel *cancel;
    stay_dest_wait_fn *wait;
    void *wait_ctx;
};

/* Whether the plugin offers a function: its struct may be older than ours. */
#define OFFERS(dest, member) (BACKSTAY_HAS((dest)->ops, member) && (dest)->ops->member)

/* One call into the plugin, so that one loop serves all functions. */
struct call {
    const char *verb; /* for the message about a plugin that breaks its contract */
    const char *name; /* of the object, or "" */
    int most;         /* the largest outcome that means something */
    int (*once)(struct stay_dest *dest, struct call *call, struct backstay_error *err);
    uint64_t offset;
    const void *from;
    void *to;
    size_t len;
    size_t got;
    bool create;
    unsigned tries; /* out: how often it was called */
    struct stay_dest_list *list;
    struct backstay_space *space;
};

static void wait_with_jitter(void *ctx, int64_t most_ns, const struct stay_cancel *cancel)
{
    uint64_t random = 0;

    (void)ctx;
    /* Without randomness the wait is the longest one, which is harmless. */
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (uint64_t)most_ns;
    int64_t left = (int64_t)(random % ((uint64_t)most_ns + 1));
    while (left > 0 && !stay_cancelled(cancel)) {
        int64_t slice = STAY_MIN(left, SLICE_NS);
        struct timespec pause = {.tv_nsec = slice};
        (void)nanosleep(&pause, NULL);
        left -= slice;
    }
}

static int fail_call(const struct stay_dest *dest, const struct call *call, int outcome,
                     const struct backstay_error *from, struct stay_err *err)
{
    if (outcome < 0)
        (void)stay_host_error(err, from);
    else
        (void)stay_fail(err, STAY_ERR_IO, "the plugin answered %s%s%s with %d, which means nothing",
                        call->verb, *call->name ? " " : "", call->name, outcome);
    if (call->tries > 1)
        (void)stay_prefix(err, "after %u tries", call->tries);
    (void)stay_prefix(err, "destination %s", dest->name);
    if (err)
        err->origin = STAY_ORIGIN_DESTINATION;
    return -1;
}

static int run(struct stay_dest *dest, struct call *call, struct stay_err *err)
{
    struct backstay_error from;
    int64_t most_ns = FIRST_WAIT_NS;
    int outcome;

    for (call->tries = 1;; call->tries++) {
        from = (struct backstay_error){.size = sizeof from};
        outcome = call->once(dest, call, &from);
        if (outcome >= 0 || from.kind != BACKSTAY_ERR_TRANSIENT)
            break;
        if (stay_cancelled(dest->cancel))
            return stay_fail_cancelled(err);
        if (call->tries == TRIES)
            break;
        struct stay_err reason = {0};
        (void)stay_host_error(&reason, &from);
        stay_log(STAY_LOG_INFO, "destination %s: %s; trying again", dest->name, reason.text);
        dest->wait(dest->wait_ctx, most_ns, dest->cancel);
        if (stay_cancelled(dest->cancel))
            return stay_fail_cancelled(err);
        most_ns = STAY_MIN(most_ns * 2, MOST_WAIT_NS);
    }
    if (outcome >= 0 && outcome <= call->most)
        return outcome;
    return fail_call(dest, call, outcome, &from, err);
}

static int fail_missing_function(const struct stay_dest *dest, const char *what,
                                 struct stay_err *err)
{
    (void)stay_fail(err, STAY_ERR_CONFIG, "destination %s: its plugin cannot %s", dest->name, what);
    if (err)
        err->origin = STAY_ORIGIN_DESTINATION;
    return -1;
}

static int fail_corrupt(const struct stay_dest *dest, struct stay_err *err, const char *text)
{
    (void)stay_fail(err, STAY_ERR_CORRUPT, "destination %s: %s", dest->name, text);
    if (err)
        err->origin = STAY_ORIGIN_DESTINATION;
    return -1;
}

static int open_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    return dest->ops->open(stay_host_abi(dest->host), call->create, &dest->self, err);
}

struct stay_dest *stay_dest_wrap(const char *name, const struct backstay_destination *ops,
                                 void *self, const struct stay_cancel *cancel)
{
    struct stay_dest *dest = stay_new(struct stay_dest);

    dest->name = stay_strdup(name);
    dest->ops = ops;
    dest->self = self;
    dest->cancel = cancel;
    dest->wait = wait_with_jitter;
    return dest;
}

int stay_dest_open(struct stay_dest **out, struct stay_host *host,
                   const struct backstay_destination *ops, bool create, struct stay_err *err)
{
    struct call call = {.verb = "open", .name = "", .once = open_once, .create = create};
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap(stay_host_name(host), ops, NULL, stay_host_cancel(host));

    dest->host = host;
    if (!OFFERS(dest, open))
        return fail_missing_function(dest, "be opened", err);
    if (run(dest, &call, err) < 0) {
        dest->self = NULL;
        return -1;
    }
    *out = stay_steal(&dest);
    return 0;
}

void stay_dest_free(struct stay_dest *dest)
{
    if (dest == NULL)
        return;
    if (dest->self && OFFERS(dest, close))
        dest->ops->close(dest->self);
    stay_host_free(dest->host);
    free(dest->name);
    free(dest);
}

const char *stay_dest_name(const struct stay_dest *dest)
{
    return dest->name;
}

void stay_dest_set_wait(struct stay_dest *dest, stay_dest_wait_fn *wait, void *ctx)
{
    dest->wait = wait;
    dest->wait_ctx = ctx;
}

static int put_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    return dest->ops->put(dest->self, call->name, call->from, call->len, err);
}

int stay_dest_put(struct stay_dest *dest, const char *name, const void *data, size_t len,
                  struct stay_err *err)
{
    struct call call = {.verb = "put", .name = name, .once = put_once, .from = data, .len = len};

    if (!OFFERS(dest, put))
        return fail_missing_function(dest, "store objects", err);
    return run(dest, &call, err);
}

static int put_if_absent_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    return dest->ops->put_if_absent(dest->self, call->name, call->from, call->len, err);
}

/* Whether the object @name is exactly @data. */
static int holds(struct stay_dest *dest, const char *name, const void *data, size_t len, bool *out,
                 struct stay_err *err)
{
    stay_auto_buf struct stay_buf there = {0};
    struct stay_err larger = {0};
    int outcome = stay_dest_get_all(dest, name, len, &there, &larger);

    *out = false;
    if (outcome == STAY_DEST_MISSING || (outcome < 0 && larger.kind == STAY_ERR_CORRUPT))
        return 0;
    if (outcome < 0) {
        if (err)
            *err = larger;
        return -1;
    }
    *out = there.len == len && (len == 0 || memcmp(there.data, data, len) == 0);
    return 0;
}

int stay_dest_put_if_absent(struct stay_dest *dest, const char *name, const void *data, size_t len,
                            struct stay_err *err)
{
    struct call call = {
        .verb = "put_if_absent",
        .name = name,
        .most = STAY_DEST_EXISTS,
        .once = put_if_absent_once,
        .from = data,
        .len = len,
    };
    bool ours;

    if (!OFFERS(dest, put_if_absent))
        return fail_missing_function(dest, "store an object only where there is none", err);
    int outcome = run(dest, &call, err);
    if (outcome != STAY_DEST_EXISTS || call.tries == 1)
        return outcome;
    /* The try that failed may have stored it all the same: its answer got lost, not its effect. */
    if (holds(dest, name, data, len, &ours, err) < 0)
        return -1;
    return ours ? 0 : STAY_DEST_EXISTS;
}

static int get_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    call->got = 0;
    return dest->ops->get(dest->self, call->name, call->offset, call->to, call->len, &call->got,
                          err);
}

/* One get(), with what it must hold: never more than was asked for. */
static int get_part(struct stay_dest *dest, struct call *call, struct stay_err *err)
{
    int outcome = run(dest, call, err);

    if (outcome == 0 && call->got > call->len)
        return fail_corrupt(dest, err, "the plugin says that it read more than was asked for");
    return outcome;
}

int stay_dest_get(struct stay_dest *dest, const char *name, uint64_t offset, void *data, size_t len,
                  struct stay_err *err)
{
    struct call call = {
        .verb = "get",
        .name = name,
        .most = STAY_DEST_MISSING,
        .once = get_once,
        .offset = offset,
        .to = data,
        .len = len,
    };

    if (!OFFERS(dest, get))
        return fail_missing_function(dest, "read objects", err);
    for (;;) {
        int outcome = get_part(dest, &call, err);
        if (outcome != 0)
            return outcome;
        call.len -= call.got;
        if (call.len == 0)
            return 0;
        if (call.got == 0)
            break;
        call.offset += call.got;
        call.to = (char *)call.to + call.got;
    }
    stay_auto_str char *text = stay_strf(
        "%s ends %zu bytes before the end of the range that was asked for", name, call.len);
    return fail_corrupt(dest, err, text);
}

int stay_dest_get_all(struct stay_dest *dest, const char *name, size_t limit_bytes,
                      struct stay_buf *out, struct stay_err *err)
{
    const size_t first = (size_t)1 << 20;
    const size_t most = (size_t)16 << 20;
    const size_t before = out->len;
    struct call call = {.verb = "get", .name = name, .most = STAY_DEST_MISSING, .once = get_once};

    if (!OFFERS(dest, get))
        return fail_missing_function(dest, "read objects", err);
    for (size_t piece = first;; piece = STAY_MIN(piece * 2, most)) {
        size_t left = limit_bytes - (size_t)call.offset;
        call.len = left < piece ? left + 1 : piece;
        call.to = stay_buf_reserve(out, call.len);
        int outcome = get_part(dest, &call, err);
        if (outcome != 0) {
            out->len = before;
            return outcome;
        }
        if (call.got > left)
            break;
        out->len += call.got;
        out->data[out->len] = '\0';
        call.offset += call.got;
        if (call.got < call.len)
            return 0;
    }
    out->len = before;
    stay_auto_str char *text = stay_strf("%s is larger than %zu bytes", name, limit_bytes);
    return fail_corrupt(dest, err, text);
}

struct listing {
    struct stay_dest *dest;
    struct stay_dest_list *list;
};

static int collect(void *ctx, const struct backstay_object *object)
{
    struct listing *listing = ctx;

    if (stay_cancelled(listing->dest->cancel))
        return 1;
    *stay_vec_push(listing->list) = (struct stay_dest_object){
        .name = stay_strdup(object->name),
        .bytes = BACKSTAY_HAS(object, bytes) ? object->bytes : 0,
        .modified_ns = BACKSTAY_HAS(object, modified_ns) ? object->modified_ns : 0,
    };
    return 0;
}

static int list_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    struct listing listing = {.dest = dest, .list = call->list};

    stay_dest_list_free(call->list);
    return dest->ops->list(dest->self, call->name, collect, &listing, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct stay_dest_object *)a)->name,
                  ((const struct stay_dest_object *)b)->name);
}

int stay_dest_list(struct stay_dest *dest, const char *prefix, struct stay_dest_list *out,
                   struct stay_err *err)
{
    struct call call = {.verb = "list", .name = prefix, .most = 1, .once = list_once, .list = out};

    if (!OFFERS(dest, list))
        return fail_missing_function(dest, "list objects", err);
    int outcome = run(dest, &call, err);
    if (outcome != 0) {
        stay_dest_list_free(out);
        return outcome > 0 ? stay_fail_cancelled(err) : -1;
    }
    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, by_name);
    return 0;
}

void stay_dest_list_free(struct stay_dest_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i].name);
    stay_vec_free(list);
}

static int remove_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    return dest->ops->remove(dest->self, call->name, err);
}

int stay_dest_remove(struct stay_dest *dest, const char *name, struct stay_err *err)
{
    struct call call = {
        .verb = "remove", .name = name, .most = STAY_DEST_MISSING, .once = remove_once};

    if (!OFFERS(dest, remove))
        return fail_missing_function(dest, "remove objects", err);
    int outcome = run(dest, &call, err);
    /* A try whose answer got lost may have removed it. */
    return outcome == STAY_DEST_MISSING && call.tries > 1 ? 0 : outcome;
}

static int space_once(struct stay_dest *dest, struct call *call, struct backstay_error *err)
{
    *call->space = (struct backstay_space){.size = sizeof *call->space};
    return dest->ops->space(dest->self, call->space, err);
}

int stay_dest_space(struct stay_dest *dest, struct backstay_space *out, struct stay_err *err)
{
    struct call call = {.verb = "space", .name = "", .once = space_once, .space = out};

    *out = (struct backstay_space){.size = sizeof *out};
    if (!OFFERS(dest, space))
        return 0;
    return run(dest, &call, err);
}

int stay_dest_check(struct stay_dest *dest, struct backstay_report *report, struct stay_err *err)
{
    struct backstay_error from = {.size = sizeof from};
    struct call call = {.verb = "check", .name = "", .tries = 1};

    if (!OFFERS(dest, check))
        return fail_missing_function(dest, "check itself", err);
    int outcome = dest->ops->check(dest->self, report, &from);
    return outcome == 0 ? 0 : fail_call(dest, &call, outcome, &from, err);
}
