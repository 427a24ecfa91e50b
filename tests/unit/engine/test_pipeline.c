/* tests/unit/engine/test_pipeline.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * pipeline: a chunk is stored once wherever it is missing, and nothing is lost on the way.
 */
#include "engine/pipeline.h"

#include "support/random.h"
#include "unit/engine/rig.h"

#include <pthread.h>

enum { CHUNK = 20000, READERS = 4, CHUNKS_EACH = 400 };

static int setup(void **state)
{
    *state = new_rig(2);
    return 0;
}

static int teardown(void **state)
{
    free_rig(*state);
    return 0;
}

/* Chunk @number: half random, half text, never twice the same. */
static void make_chunk(char *out, uint64_t number)
{
    struct stay_random random = {number};

    memset(out, 'x', CHUNK);
    stay_random_fill(&random, out, CHUNK / 2);
}

static int send(struct rig *rig, struct stay_builder *builder, uint64_t number, struct stay_id *id)
{
    char data[CHUNK];

    make_chunk(data, number);
    return stay_pipeline_chunk(rig->pipeline, builder, data, CHUNK, number % 2 == 0, id);
}

/* Sends the chunks @begin .. @end - 1 through one builder. */
static void send_range(struct rig *rig, uint64_t begin, uint64_t end)
{
    struct stay_builder *builder = stay_pipeline_take(rig->pipeline, STAY_FRAME_BYTES);
    struct stay_id id;

    for (uint64_t i = begin; i < end; i++)
        assert_int_equal(send(rig, builder, i, &id), 0);
    stay_pipeline_give(rig->pipeline, builder);
}

static struct stay_id id_of(uint64_t number)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    char data[CHUNK];
    struct stay_id id;

    make_chunk(data, number);
    stay_digest_of(digest, data, CHUNK, &id);
    return id;
}

static void assert_stored(const struct rig *rig, size_t i, uint64_t number)
{
    const struct stay_id id = id_of(number);
    stay_auto_buf struct stay_buf back = {0};
    char data[CHUNK];

    make_chunk(data, number);
    assert_int_equal(rig_read(rig, i, &id, 1, &back), 0);
    assert_int_equal(back.len, CHUNK);
    assert_memory_equal(back.data, data, CHUNK);
}

static void finish(struct rig *rig)
{
    assert_ok(stay_pipeline_finish(rig->pipeline, &rig->err), rig->err);
}

static struct stay_snapshot *references(struct rig *rig, size_t i)
{
    struct stay_snapshot *snapshot = stay_new(struct stay_snapshot);

    stay_pipeline_references(rig->pipeline, i, snapshot);
    return snapshot;
}

static size_t frames_in(const struct stay_snapshot *snapshot)
{
    size_t n = 0;

    for (size_t i = 0; i < snapshot->packs.n; i++)
        for (size_t k = 0; k < snapshot->packs.items[i].frames.n; k++)
            n += snapshot->packs.items[i].frames.items[k].last -
                 snapshot->packs.items[i].frames.items[k].first + 1;
    return n;
}

static void chunks_reach_every_destination(void **state)
{
    struct rig *rig = *state;

    rig_open(rig);
    send_range(rig, 0, 200);
    finish(rig);
    for (size_t i = 0; i < 2; i++) {
        assert_null(stay_pipeline_error(rig->pipeline, i));
        assert_int_equal(stay_pipeline_stored(rig->pipeline, i), rig_pack_bytes(rig, i));
        for (uint64_t k = 0; k < 200; k += 13)
            assert_stored(rig, i, k);
    }
    assert_int_equal(stay_pipeline_new_bytes(rig->pipeline), 200 * CHUNK);
    assert_int_equal(rig->progress.bytes_stored, rig_pack_bytes(rig, 0) + rig_pack_bytes(rig, 1));
}

static void the_same_chunk_again_is_not_stored_again(void **state)
{
    struct rig *rig = *state;

    rig_open(rig);
    send_range(rig, 0, 50);
    send_range(rig, 0, 50);
    finish(rig);
    assert_int_equal(stay_pipeline_new_bytes(rig->pipeline), 50 * CHUNK);
    uint64_t before = rig_pack_bytes(rig, 0);
    rig_open(rig);
    send_range(rig, 0, 50);
    finish(rig);
    assert_int_equal(stay_pipeline_new_bytes(rig->pipeline), 0);
    assert_int_equal(rig_pack_bytes(rig, 0), before);
}

static void what_one_has_and_the_other_lacks_goes_to_the_other_alone(void **state)
{
    struct rig *rig = *state;

    rig->n = 1;
    rig_open(rig);
    send_range(rig, 0, 50);
    finish(rig);
    rig_close(rig);
    rig->n = 2;
    uint64_t before = rig_pack_bytes(rig, 0);
    rig_open(rig);
    send_range(rig, 0, 50);
    finish(rig);
    assert_int_equal(rig_pack_bytes(rig, 0), before);
    assert_int_equal(stay_pipeline_stored(rig->pipeline, 0), 0);
    assert_true(stay_pipeline_stored(rig->pipeline, 1) > 0);
    assert_int_equal(stay_pipeline_new_bytes(rig->pipeline), 50 * CHUNK);
    for (uint64_t i = 0; i < 50; i++)
        assert_stored(rig, 1, i);
}

static void a_snapshot_names_the_frames_it_used_and_no_others(void **state)
{
    struct rig *rig = *state;

    rig_open(rig);
    send_range(rig, 0, 300); /* 49 in each frame, dense and plain apart */
    finish(rig);
    stay_auto(stay_snapshot_free) struct stay_snapshot *all = references(rig, 0);
    rig_open(rig);
    send_range(rig, 0, 1);
    finish(rig);
    stay_auto(stay_snapshot_free) struct stay_snapshot *one = references(rig, 0);
    rig_open(rig);
    finish(rig);
    stay_auto(stay_snapshot_free) struct stay_snapshot *none = references(rig, 0);
    assert_int_equal(frames_in(all), 8);
    assert_int_equal(all->packs.n, 1);
    assert_int_equal(frames_in(one), 1);
    assert_int_equal(none->packs.n, 0);
}

static void a_lost_pack_that_comes_back_the_same_is_named(void **state)
{
    struct rig *rig = *state;
    stay_auto_dest_list struct stay_dest_list packs = {0};
    const struct stay_id id = id_of(1);
    size_t n;

    rig_open(rig);
    send_range(rig, 1, 2);
    finish(rig);
    assert_int_equal(stay_dest_list(rig->stores[0]->dest, "packs/", &packs, NULL), 0);
    assert_int_equal(packs.n, 1);
    assert_int_equal(stay_memory_dest_remove(rig->stores[0]->memory, packs.items[0].name), 0);
    rig_open(rig);
    send_range(rig, 1, 2);
    finish(rig);
    assert_int_equal(stay_memory_dest_read(rig->stores[0]->memory, packs.items[0].name, NULL), 0);
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = references(rig, 0);
    assert_int_equal(snapshot->packs.n, 1);
    assert_int_equal(frames_in(snapshot), 1);
    assert_non_null(stay_index_find(rig->indexes[0], &id));
    (void)stay_index_packs(rig->indexes[0], &n);
    assert_int_equal(n, 1);
}

static void known_means_on_every_living_destination(void **state)
{
    struct rig *rig = *state;
    const struct stay_id ids[] = {id_of(0), id_of(1), id_of(1000)};

    rig->n = 1;
    rig_open(rig);
    send_range(rig, 0, 2);
    assert_true(stay_pipeline_known(rig->pipeline, ids, 2));
    finish(rig);
    rig_open(rig);
    assert_true(stay_pipeline_known(rig->pipeline, ids, 2));
    assert_false(stay_pipeline_known(rig->pipeline, ids, 3));
    assert_true(stay_pipeline_known(rig->pipeline, NULL, 0));
    rig_close(rig);
    rig->n = 2;
    rig_open(rig);
    assert_false(stay_pipeline_known(rig->pipeline, ids, 1));
    send_range(rig, 0, 1);
    assert_true(stay_pipeline_known(rig->pipeline, ids, 1));
    finish(rig);
    rig_close(rig);
}

static void what_is_known_counts_as_used(void **state)
{
    struct rig *rig = *state;
    const struct stay_id id = id_of(3);

    rig_open(rig);
    send_range(rig, 0, 100);
    finish(rig);
    rig_open(rig);
    assert_true(stay_pipeline_known(rig->pipeline, &id, 1));
    finish(rig);
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = references(rig, 1);
    assert_int_equal(frames_in(snapshot), 1);
}

struct reader {
    struct rig *rig;
    uint64_t begin;
    int rc;
};

static void *read_range(void *ctx)
{
    struct reader *reader = ctx;
    struct stay_builder *builder = stay_pipeline_take(reader->rig->pipeline, STAY_FRAME_BYTES);
    struct stay_id id;

    for (uint64_t i = 0; i < CHUNKS_EACH && reader->rc == 0; i++)
        reader->rc = send(reader->rig, builder, reader->begin + i, &id);
    stay_pipeline_give(reader->rig->pipeline, builder);
    return NULL;
}

/* Readers whose ranges overlap by half. */
static void read_in_parallel(struct rig *rig, struct reader *readers)
{
    pthread_t threads[READERS];

    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){rig, i * CHUNKS_EACH / 2, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_range, &readers[i]), 0);
    }
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void several_readers_store_each_chunk_once(void **state)
{
    enum { DIFFERENT = (READERS + 1) * CHUNKS_EACH / 2 };
    struct rig *rig = *state;
    struct reader readers[READERS];
    size_t n;

    rig_open(rig);
    read_in_parallel(rig, readers);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(readers[i].rc, 0);
    finish(rig);
    assert_int_equal(stay_pipeline_new_bytes(rig->pipeline), (uint64_t)DIFFERENT * CHUNK);
    for (size_t i = 0; i < 2; i++) {
        stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = references(rig, i);
        const struct stay_index_chunk *chunks = stay_index_chunks(rig->indexes[i], &n);
        assert_int_equal(n, DIFFERENT);
        for (size_t k = 1; k < n; k++)
            assert_false(stay_id_equal(&chunks[k - 1].id, &chunks[k].id));
        for (uint64_t k = 0; k < DIFFERENT; k += 37)
            assert_stored(rig, i, k);
    }
}

static void a_destination_that_fails_does_not_stop_the_other(void **state)
{
    struct rig *rig = *state;

    rig_fail(rig, 0, STAY_DEST_OP_PUT, "packs/", 1);
    rig_open(rig);
    send_range(rig, 0, 100);
    finish(rig);
    assert_int_equal(stay_pipeline_error(rig->pipeline, 0)->kind, STAY_ERR_SPACE);
    assert_null(stay_pipeline_error(rig->pipeline, 1));
    for (uint64_t i = 0; i < 100; i += 9)
        assert_stored(rig, 1, i);
}

static void without_any_destination_left_it_stops(void **state)
{
    struct rig *rig = *state;
    struct reader readers[READERS];

    rig_fail(rig, 0, STAY_DEST_OP_PUT, "packs/", 1);
    rig_fail(rig, 1, STAY_DEST_OP_PUT, "packs/", 1);
    rig_open(rig);
    for (int i = 0; i < 20 && !stay_pipeline_stopped(rig->pipeline); i++)
        read_in_parallel(rig, readers);
    assert_int_equal(stay_pipeline_finish(rig->pipeline, &rig->err), -1);
    assert_int_equal(rig->err.kind, STAY_ERR_SPACE);
    assert_true(stay_pipeline_stopped(rig->pipeline));
}

static void *cancel_it(void *ctx)
{
    struct rig *rig = ctx;

    while (atomic_load(&rig->progress.bytes_stored) == 0 && !stay_pipeline_stopped(rig->pipeline))
        ;
    stay_cancel_request(&rig->cancel, 15);
    return NULL;
}

static void a_cancelled_run_stops_in_the_middle(void **state)
{
    struct rig *rig = *state;
    struct stay_builder *builder;
    struct stay_id id;
    pthread_t thread;
    uint64_t sent = 0;

    rig_open(rig);
    builder = stay_pipeline_take(rig->pipeline, STAY_FRAME_BYTES);
    assert_int_equal(pthread_create(&thread, NULL, cancel_it, rig), 0);
    while (sent < 1000000 && send(rig, builder, sent, &id) == 0)
        sent++;
    assert_int_equal(pthread_join(thread, NULL), 0);
    stay_pipeline_give(rig->pipeline, builder);
    assert_in_range(sent, 1, 999999);
    assert_int_equal(stay_pipeline_finish(rig->pipeline, &rig->err), -1);
    assert_error(rig->err, STAY_ERR_CANCELLED, "stopped on request");
}

static void a_run_that_is_thrown_away_leaves_no_index(void **state)
{
    struct rig *rig = *state;

    rig_open(rig);
    send_range(rig, 0, 100);
    rig_close(rig);
    assert_int_equal(stay_dest_log_count(stay_failing_dest_log(rig->stores[0]->failing),
                                         STAY_DEST_OP_PUT, "index/"),
                     0);
    stay_pipeline_free(NULL);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(chunks_reach_every_destination),
        WITH_RIG(the_same_chunk_again_is_not_stored_again),
        WITH_RIG(what_one_has_and_the_other_lacks_goes_to_the_other_alone),
        WITH_RIG(a_snapshot_names_the_frames_it_used_and_no_others),
        WITH_RIG(a_lost_pack_that_comes_back_the_same_is_named),
        WITH_RIG(known_means_on_every_living_destination),
        WITH_RIG(what_is_known_counts_as_used),
        WITH_RIG(several_readers_store_each_chunk_once),
        WITH_RIG(a_destination_that_fails_does_not_stop_the_other),
        WITH_RIG(without_any_destination_left_it_stops),
        WITH_RIG(a_cancelled_run_stops_in_the_middle),
        WITH_RIG(a_run_that_is_thrown_away_leaves_no_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
