/* tests/unit/engine/test_cutter.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * cutter: the pieces of a stream, put together, are the stream, however it was written.
 */
#include "engine/cutter.h"

#include "support/random.h"
#include "unit/engine/rig.h"

enum { MIB = 1024 * 1024, LEN = 11 * MIB + 12345 };

struct fixture {
    struct rig *rig;
    char *data; /* text and noise in turn */
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_random random = {1};

    fixture->rig = new_rig(1);
    fixture->data = stay_calloc(LEN, 1);
    for (size_t at = 0; at < LEN; at += 2 * MIB)
        stay_random_fill(&random, fixture->data + at, STAY_MIN((size_t)MIB, LEN - at));
    for (size_t at = MIB; at < LEN; at += 2 * MIB)
        for (size_t i = at; i < STAY_MIN(at + MIB, (size_t)LEN); i++)
            fixture->data[i] = "0123456789abcdef, "[stay_random_below(&random, 18)];
    rig_open(fixture->rig);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    free_rig(fixture->rig);
    free(fixture->data);
    free(fixture);
    return 0;
}

static void assert_pieces(const struct stay_pieces *pieces, const char *data, size_t len)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    size_t at = 0;

    for (size_t i = 0; i < pieces->n; i++) {
        struct stay_id sum;
        assert_in_range(pieces->bytes[i], 1, len - at);
        stay_digest_of(digest, data + at, pieces->bytes[i], &sum);
        assert_true(stay_id_equal(&sum, &pieces->ids[i]));
        at += pieces->bytes[i];
    }
    assert_int_equal(at, len);
    assert_int_equal(pieces->total, len);
}

static void the_pieces_are_the_stream(void **state)
{
    struct fixture *fixture = *state;
    struct rig *rig = fixture->rig;
    stay_auto_buf struct stay_buf back = {0};
    struct stay_cutter *cutter = stay_cutter_new(rig->pipeline, STAY_FRAME_BYTES);

    assert_int_equal(stay_cutter_write(cutter, fixture->data, LEN), 0);
    assert_int_equal(stay_cutter_end(cutter), 0);
    const struct stay_pieces *pieces = stay_cutter_pieces(cutter);
    assert_true(pieces->n > 10);
    assert_pieces(pieces, fixture->data, LEN);
    stay_auto_free struct stay_id *ids = stay_calloc(pieces->n, sizeof *ids);
    size_t n = pieces->n;
    memcpy(ids, pieces->ids, n * sizeof *ids);
    stay_cutter_free(cutter);
    assert_ok(stay_pipeline_finish(rig->pipeline, &rig->err), rig->err);
    assert_int_equal(rig_read(rig, 0, ids, n, &back), 0);
    assert_int_equal(back.len, LEN);
    assert_memory_equal(back.data, fixture->data, LEN);
}

static void it_does_not_matter_in_which_portions_it_was_written(void **state)
{
    static const size_t portions[] = {4096, 65537, 4 * MIB, 4 * MIB + 1, LEN};
    struct fixture *fixture = *state;
    stay_auto(stay_cutter_free) struct stay_cutter *whole =
        stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);
    stay_auto(stay_cutter_free) struct stay_cutter *cutter =
        stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);

    assert_int_equal(stay_cutter_whole(whole, fixture->data, LEN), 0);
    const struct stay_pieces *a = stay_cutter_pieces(whole);
    for (size_t i = 0; i < STAY_COUNT(portions); i++) {
        for (size_t at = 0; at < LEN; at += portions[i])
            assert_int_equal(
                stay_cutter_write(cutter, fixture->data + at, STAY_MIN(portions[i], LEN - at)), 0);
        assert_int_equal(stay_cutter_end(cutter), 0);
        const struct stay_pieces *b = stay_cutter_pieces(cutter);
        assert_int_equal(a->n, b->n);
        assert_memory_equal(a->ids, b->ids, a->n * sizeof *a->ids);
        stay_cutter_reset(cutter);
    }
}

static void a_stream_that_was_given_up_leaves_nothing_in_the_next(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_cutter_free) struct stay_cutter *cutter =
        stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);

    assert_int_equal(stay_cutter_write(cutter, fixture->data, 100000), 0);
    stay_cutter_reset(cutter);
    assert_int_equal(stay_cutter_write(cutter, "short", 5), 0);
    assert_int_equal(stay_cutter_end(cutter), 0);
    assert_int_equal(stay_cutter_pieces(cutter)->n, 1);
    assert_pieces(stay_cutter_pieces(cutter), "short", 5);
}

static void a_cutter_that_was_freed_half_way_leaves_nothing_either(void **state)
{
    struct fixture *fixture = *state;
    struct stay_cutter *cutter = stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);

    assert_int_equal(stay_cutter_write(cutter, fixture->data, 100000), 0);
    stay_cutter_free(cutter);
    cutter = stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);
    assert_int_equal(stay_cutter_end(cutter), 0);
    assert_int_equal(stay_cutter_pieces(cutter)->n, 0);
    stay_cutter_free(cutter);
    stay_cutter_free(NULL);
}

static void a_pipeline_that_has_stopped_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_cutter_free) struct stay_cutter *cutter =
        stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);

    stay_cancel_request(&fixture->rig->cancel, 2);
    assert_int_equal(stay_cutter_write(cutter, fixture->data, LEN), -1);
    assert_int_equal(stay_cutter_whole(cutter, fixture->data, 100), -1);
}

static void the_largest_chunks_that_a_repository_may_ask_for_are_cut(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_chunk_sizes largest = {STAY_CHUNK_MAX, STAY_CHUNK_MAX, STAY_CHUNK_MAX};

    rig_close(fixture->rig);
    fixture->rig->repositories[0]->chunker.plain = largest;
    fixture->rig->repositories[0]->chunker.dense = largest;
    assert_true(stay_chunker_valid(&fixture->rig->repositories[0]->chunker));
    rig_open(fixture->rig);
    stay_auto(stay_cutter_free) struct stay_cutter *cutter =
        stay_cutter_new(fixture->rig->pipeline, STAY_FRAME_BYTES);
    assert_int_equal(stay_cutter_write(cutter, fixture->data, LEN), 0);
    assert_int_equal(stay_cutter_end(cutter), 0);
    assert_int_equal(stay_cutter_pieces(cutter)->n, 3);
    assert_pieces(stay_cutter_pieces(cutter), fixture->data, LEN);
    stay_cutter_free(stay_steal(&cutter));
    assert_ok(stay_pipeline_finish(fixture->rig->pipeline, &fixture->rig->err), fixture->rig->err);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(the_pieces_are_the_stream),
        WITH_RIG(it_does_not_matter_in_which_portions_it_was_written),
        WITH_RIG(a_stream_that_was_given_up_leaves_nothing_in_the_next),
        WITH_RIG(a_cutter_that_was_freed_half_way_leaves_nothing_either),
        WITH_RIG(a_pipeline_that_has_stopped_is_noticed),
        WITH_RIG(the_largest_chunks_that_a_repository_may_ask_for_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
