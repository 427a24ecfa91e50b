/* tests/support/memory_dest.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * One map from name to object behind one mutex. Listings come in the order of the map, which is
 * none: who relies on an order fails here.
 */
#include "support/memory_dest.h"

#include <pthread.h>
#include <string.h>

struct object {
    int64_t modified_ns;
    size_t len;
    char data[];
};

/* One change: an object that was stored, or removed (content NULL). */
struct change {
    char *name;
    struct object *content;
};

struct stay_memory_dest {
    pthread_mutex_t mutex; /* guards objects, bytes, first and changes */
    struct stay_map *objects;
    uint64_t bytes;
    uint64_t capacity; /* 0: no limit */
    const struct stay_clock *clock;
    const struct stay_cancel *cancel;
    struct stay_dest_log *log;
    void (*before)(void *ctx, enum stay_dest_op op, const char *name);
    void *before_ctx;
    struct stay_map *first; /* the content at moment 0; NULL: no history is kept */
    STAY_VEC(struct change) changes;
};

static struct object *new_object(const void *data, size_t len, int64_t modified_ns)
{
    struct object *object = stay_malloc(sizeof *object + len);

    object->modified_ns = modified_ns;
    object->len = len;
    if (len)
        memcpy(object->data, data, len);
    return object;
}

static struct object *copy_object(const struct object *object)
{
    return new_object(object->data, object->len, object->modified_ns);
}

static struct stay_map *copy_map(const struct stay_map *map)
{
    struct stay_map *copy = stay_map_new(free);
    size_t at = 0;
    const void *name;
    size_t len;
    void *value;

    while (stay_map_next(map, &at, &name, &len, &value))
        stay_map_set(copy, name, len, copy_object(value));
    return copy;
}

struct stay_memory_dest *stay_memory_dest_new(void)
{
    struct stay_memory_dest *memory = stay_new(struct stay_memory_dest);

    (void)pthread_mutex_init(&memory->mutex, NULL);
    memory->objects = stay_map_new(free);
    memory->clock = stay_clock_system();
    memory->log = stay_dest_log_new();
    return memory;
}

void stay_memory_dest_free(struct stay_memory_dest *memory)
{
    if (memory == NULL)
        return;
    for (size_t i = 0; i < memory->changes.n; i++) {
        free(memory->changes.items[i].name);
        free(memory->changes.items[i].content);
    }
    stay_vec_free(&memory->changes);
    stay_map_free(memory->first);
    stay_map_free(memory->objects);
    stay_dest_log_free(memory->log);
    (void)pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

const struct stay_dest_log *stay_memory_dest_log(const struct stay_memory_dest *memory)
{
    return memory->log;
}

void stay_memory_dest_set_capacity(struct stay_memory_dest *memory, uint64_t bytes)
{
    memory->capacity = bytes;
}

void stay_memory_dest_set_clock(struct stay_memory_dest *memory, const struct stay_clock *clock)
{
    memory->clock = clock;
}

void stay_memory_dest_set_cancel(struct stay_memory_dest *memory, const struct stay_cancel *cancel)
{
    memory->cancel = cancel;
}

void stay_memory_dest_set_hook(struct stay_memory_dest *memory,
                               void (*before)(void *ctx, enum stay_dest_op op, const char *name),
                               void *ctx)
{
    memory->before = before;
    memory->before_ctx = ctx;
}

/* ---------------------------------------------------------------- under the mutex */

static struct object *find(const struct stay_memory_dest *memory, const char *name)
{
    return stay_map_get(memory->objects, name, strlen(name));
}

static void note_change(struct stay_memory_dest *memory, const char *name,
                        const struct object *content)
{
    if (memory->first)
        *stay_vec_push(&memory->changes) =
            (struct change){stay_strdup(name), content ? copy_object(content) : NULL};
}

static void store(struct stay_memory_dest *memory, const char *name, const void *data, size_t len)
{
    const struct object *old = find(memory, name);
    struct object *object = new_object(data, len, stay_clock_now(memory->clock));

    memory->bytes += len - (old ? old->len : 0);
    stay_map_set(memory->objects, name, strlen(name), object);
    note_change(memory, name, object);
}

static int drop(struct stay_memory_dest *memory, const char *name)
{
    const struct object *old = find(memory, name);

    if (old == NULL)
        return STAY_MEMORY_DEST_MISSING;
    memory->bytes -= old->len;
    (void)stay_map_remove(memory->objects, name, strlen(name));
    note_change(memory, name, NULL);
    return 0;
}

/* ---------------------------------------------------------------- the ABI */

static int fail(struct backstay_error *err, int kind, const char *text)
{
    err->kind = kind;
    (void)snprintf(err->text, sizeof err->text, "%s", text);
    return -1;
}

static bool part_ok(const char *part, size_t len)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (len == 0 || len > 255 || (len == 1 && part[0] == '.') ||
        (len == 2 && memcmp(part, "..", 2) == 0))
        return false;
    return strspn(part, allowed) >= len;
}

static bool name_ok(const char *name)
{
    for (;;) {
        size_t len = strcspn(name, "/");
        if (!part_ok(name, len))
            return false;
        if (name[len] == '\0')
            return true;
        name += len + 1;
    }
}

/* What every call begins with. @return 0 or -1. */
static int enter(struct stay_memory_dest *memory, enum stay_dest_op op, const char *name,
                 struct backstay_error *err)
{
    if (memory->before)
        memory->before(memory->before_ctx, op, name);
    if (stay_cancelled(memory->cancel))
        return fail(err, BACKSTAY_ERR_CANCELLED, "stopped on request");
    if (op != STAY_DEST_OP_LIST && op != STAY_DEST_OP_SPACE && op != STAY_DEST_OP_CHECK &&
        !name_ok(name))
        return fail(err, BACKSTAY_ERR_IO, "that object name is not allowed");
    return 0;
}

static int leave(struct stay_memory_dest *memory, struct stay_dest_entry entry, int outcome)
{
    entry.outcome = outcome;
    stay_dest_log_add(memory->log, &entry);
    return outcome;
}

static int put(struct stay_memory_dest *memory, struct stay_dest_entry entry, const void *data,
               struct backstay_error *err)
{
    size_t len = (size_t)entry.bytes;
    int rc = 0;

    if (enter(memory, entry.op, entry.name, err) < 0)
        return leave(memory, entry, -1);
    (void)pthread_mutex_lock(&memory->mutex);
    const struct object *old = find(memory, entry.name);
    if (old && entry.op == STAY_DEST_OP_PUT_IF_ABSENT)
        rc = BACKSTAY_EXISTS;
    else if (memory->capacity && memory->bytes - (old ? old->len : 0) + len > memory->capacity)
        rc = fail(err, BACKSTAY_ERR_SPACE, "the memory destination is full");
    else
        store(memory, entry.name, data, len);
    (void)leave(memory, entry, rc);
    (void)pthread_mutex_unlock(&memory->mutex);
    return rc;
}

static int memory_put(void *self, const char *name, const void *data, size_t len,
                      struct backstay_error *err)
{
    struct stay_dest_entry entry = {STAY_DEST_OP_PUT, name, 0, len, 0};

    return put(self, entry, data, err);
}

static int memory_put_if_absent(void *self, const char *name, const void *data, size_t len,
                                struct backstay_error *err)
{
    struct stay_dest_entry entry = {STAY_DEST_OP_PUT_IF_ABSENT, name, 0, len, 0};

    return put(self, entry, data, err);
}

static int memory_get(void *self, const char *name, uint64_t offset, void *data, size_t len,
                      size_t *got, struct backstay_error *err)
{
    struct stay_memory_dest *memory = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_GET, name, offset, len, 0};
    int rc = BACKSTAY_MISSING;

    *got = 0;
    if (enter(memory, entry.op, name, err) < 0)
        return leave(memory, entry, -1);
    (void)pthread_mutex_lock(&memory->mutex);
    const struct object *object = find(memory, name);
    if (object) {
        rc = 0;
        *got = offset < object->len ? STAY_MIN(len, object->len - (size_t)offset) : 0;
        if (*got)
            memcpy(data, object->data + offset, *got);
    }
    (void)pthread_mutex_unlock(&memory->mutex);
    return leave(memory, entry, rc);
}

struct listed {
    char *name;
    uint64_t bytes;
    int64_t modified_ns;
};

static size_t copy_listing(struct stay_memory_dest *memory, const char *prefix,
                           struct listed **listing)
{
    STAY_VEC(struct listed) found = {0};
    size_t at = 0;
    const void *name;
    size_t len;
    void *value;

    (void)pthread_mutex_lock(&memory->mutex);
    while (stay_map_next(memory->objects, &at, &name, &len, &value)) {
        const struct object *object = value;
        if (len >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0)
            *stay_vec_push(&found) =
                (struct listed){stay_memdup(name, len), object->len, object->modified_ns};
    }
    (void)pthread_mutex_unlock(&memory->mutex);
    *listing = found.items;
    return found.n;
}

static int memory_list(void *self, const char *prefix,
                       int (*each)(void *ctx, const struct backstay_object *object), void *ctx,
                       struct backstay_error *err)
{
    struct stay_memory_dest *memory = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_LIST, prefix, 0, 0, 0};
    struct listed *listing = NULL;
    int rc = 0;

    if (enter(memory, entry.op, prefix, err) < 0)
        return leave(memory, entry, -1);
    /* Copied first: @each may call back into the destination. */
    size_t n = copy_listing(memory, prefix, &listing);
    for (size_t i = 0; i < n; i++) {
        struct backstay_object object = {sizeof object, 0, listing[i].name, listing[i].bytes,
                                         listing[i].modified_ns};
        if (rc == 0)
            rc = each(ctx, &object);
        free(listing[i].name);
    }
    free(listing);
    return leave(memory, entry, rc);
}

static int memory_remove(void *self, const char *name, struct backstay_error *err)
{
    struct stay_memory_dest *memory = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_REMOVE, name, 0, 0, 0};

    if (enter(memory, entry.op, name, err) < 0)
        return leave(memory, entry, -1);
    (void)pthread_mutex_lock(&memory->mutex);
    int rc = leave(memory, entry, drop(memory, name));
    (void)pthread_mutex_unlock(&memory->mutex);
    return rc;
}

static int memory_space(void *self, struct backstay_space *out, struct backstay_error *err)
{
    struct stay_memory_dest *memory = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_SPACE, "", 0, 0, 0};

    if (enter(memory, entry.op, "", err) < 0)
        return leave(memory, entry, -1);
    (void)pthread_mutex_lock(&memory->mutex);
    out->known = memory->capacity != 0;
    out->total_bytes = memory->capacity;
    out->free_bytes = memory->capacity > memory->bytes ? memory->capacity - memory->bytes : 0;
    (void)pthread_mutex_unlock(&memory->mutex);
    return leave(memory, entry, 0);
}

static int memory_check(void *self, struct backstay_report *report, struct backstay_error *err)
{
    struct stay_memory_dest *memory = self;
    struct stay_dest_entry entry = {STAY_DEST_OP_CHECK, "", 0, 0, 0};

    if (enter(memory, entry.op, "", err) < 0)
        return leave(memory, entry, -1);
    report->finding(report, BACKSTAY_OK, "memory", "it is there");
    return leave(memory, entry, 0);
}

const struct backstay_destination *stay_memory_dest_ops(void)
{
    static const struct backstay_destination ops = {
        .size = sizeof ops,
        .check = memory_check,
        .put = memory_put,
        .put_if_absent = memory_put_if_absent,
        .get = memory_get,
        .list = memory_list,
        .remove = memory_remove,
        .space = memory_space,
    };

    return &ops;
}

/* ---------------------------------------------------------------- from the side */

int stay_memory_dest_read(struct stay_memory_dest *memory, const char *name, struct stay_buf *out)
{
    (void)pthread_mutex_lock(&memory->mutex);
    const struct object *object = find(memory, name);
    if (object && out)
        stay_buf_add(out, object->data, object->len);
    (void)pthread_mutex_unlock(&memory->mutex);
    return object ? 0 : STAY_MEMORY_DEST_MISSING;
}

void stay_memory_dest_write(struct stay_memory_dest *memory, const char *name, const void *data,
                            size_t len)
{
    (void)pthread_mutex_lock(&memory->mutex);
    store(memory, name, data, len);
    (void)pthread_mutex_unlock(&memory->mutex);
}

int stay_memory_dest_remove(struct stay_memory_dest *memory, const char *name)
{
    (void)pthread_mutex_lock(&memory->mutex);
    int rc = drop(memory, name);
    (void)pthread_mutex_unlock(&memory->mutex);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **stay_memory_dest_names(const struct stay_memory_dest *memory, const char *prefix, size_t *n)
{
    STAY_VEC(char *) names = {0};
    size_t at = 0;
    const void *name;
    size_t len;
    void *value;

    stay_vec_reserve(&names, 1);
    while (stay_map_next(memory->objects, &at, &name, &len, &value))
        if (len >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0)
            *stay_vec_push(&names) = stay_memdup(name, len);
    qsort(names.items, names.n, sizeof *names.items, compare_names);
    *n = names.n;
    return names.items;
}

uint64_t stay_memory_dest_bytes(const struct stay_memory_dest *memory)
{
    return memory->bytes;
}

/* ---------------------------------------------------------------- the past */

void stay_memory_dest_keep_history(struct stay_memory_dest *memory)
{
    if (memory->first == NULL)
        memory->first = copy_map(memory->objects);
}

size_t stay_memory_dest_changes(const struct stay_memory_dest *memory)
{
    return memory->changes.n;
}

struct stay_memory_dest *stay_memory_dest_at(const struct stay_memory_dest *memory, size_t n)
{
    struct stay_memory_dest *past = stay_memory_dest_new();

    if (memory->first == NULL || n > memory->changes.n)
        abort(); /* the test asks for what was not kept */
    stay_map_free(past->objects);
    past->objects = copy_map(memory->first);
    for (size_t i = 0; i < n; i++) {
        const struct change *change = &memory->changes.items[i];
        size_t len = strlen(change->name);
        if (change->content)
            stay_map_set(past->objects, change->name, len, copy_object(change->content));
        else
            (void)stay_map_remove(past->objects, change->name, len);
    }
    size_t at = 0;
    const void *name;
    size_t len;
    void *value;
    while (stay_map_next(past->objects, &at, &name, &len, &value))
        past->bytes += ((const struct object *)value)->len;
    return past;
}
