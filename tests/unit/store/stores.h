/* tests/unit/store/stores.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * stores: a repository in memory, for tests of the store.
 *
 * Layer: tests. Uses: store. Thread-safety: one thread.
 */
#pragma once

#include "store/repository.h"

#include "support/cmocka.h"
#include "support/failing_dest.h"
#include "support/memory_dest.h"
#include "unit/store/snapshots.h"

/** A repository on a destination in memory that can be made to fail. */
struct made_store {
    struct stay_memory_dest *memory;
    struct stay_failing_dest *failing;
    struct stay_dest *dest;
    struct stay_repository *repository; /* NULL until opened */
    struct stay_err err;
};

static inline void no_wait(void *ctx, int64_t most_ns, const struct stay_cancel *cancel)
{
    (void)ctx;
    (void)most_ns;
    (void)cancel;
}

/** An empty destination. */
static inline struct made_store *empty_store(void)
{
    struct made_store *store = stay_new(struct made_store);

    store->memory = stay_memory_dest_new();
    store->failing = stay_failing_dest_new(stay_memory_dest_ops(), store->memory);
    store->dest = stay_dest_wrap("disk", stay_failing_dest_ops(), store->failing, NULL);
    stay_dest_set_wait(store->dest, no_wait, NULL);
    return store;
}

/** One with an opened repository. */
static inline struct made_store *new_store(void)
{
    struct made_store *store = empty_store();

    assert_ok(stay_repository_init(store->dest, NULL, stay_clock_system(), &store->err),
              store->err);
    assert_ok(stay_repository_open(&store->repository, store->dest, &store->err), store->err);
    return store;
}

static inline void free_store(struct made_store *store)
{
    stay_repository_free(store->repository);
    stay_dest_free(store->dest);
    stay_failing_dest_free(store->failing);
    stay_memory_dest_free(store->memory);
    free(store);
}

/** Stores a snapshot of @source at @instant_ns with @id. */
static inline void put_snapshot(struct made_store *store, const char *source, int64_t instant_ns,
                                const char *id)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = sample_snapshot();
    stay_auto_buf struct stay_buf text = {0};
    char name[STAY_SNAPSHOT_NAME_MAX];

    free(snapshot->source);
    snapshot->source = stay_strdup(source);
    snapshot->instant_ns = instant_ns;
    memcpy(snapshot->id, id, sizeof snapshot->id);
    stay_snapshot_encode(&text, snapshot, store->repository->id);
    stay_memory_dest_write(store->memory, stay_snapshot_name(name, source, instant_ns, id),
                           text.data, text.len);
}
