/* tests/unit/engine/test_packer.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * packer: packs before the index that names them, each destination by itself, memory bounded.
 */
#include "engine/packer.h"

#include "support/random.h"
#include "unit/engine/rig.h"

#include <pthread.h>
#include <time.h>

enum { FRAME = 4 * 1024 * 1024, FRAMES_PER_PACK = STAY_PACK_BYTES / FRAME };

struct fixture {
    struct rig *rig;
    struct stay_packer *packer;
    struct stay_digest *digest;
    char *data;
    struct stay_random random;
    atomic_uint added;
    pthread_mutex_t mutex; /* guards closed */
    pthread_cond_t opened;
    bool closed;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    fixture->rig = new_rig(3);
    fixture->digest = stay_digest_new();
    fixture->data = stay_calloc(FRAME, 1);
    (void)pthread_mutex_init(&fixture->mutex, NULL);
    (void)pthread_cond_init(&fixture->opened, NULL);
    const struct stay_packer_options options = {.repositories = fixture->rig->repositories,
                                                .n = 3,
                                                .packs_in_memory = 3,
                                                .progress = &fixture->rig->progress};
    *state = fixture;
    return stay_packer_new(&fixture->packer, &options, &fixture->rig->err);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_packer_free(fixture->packer);
    stay_digest_free(fixture->digest);
    free_rig(fixture->rig);
    free(fixture->data);
    (void)pthread_cond_destroy(&fixture->opened);
    (void)pthread_mutex_destroy(&fixture->mutex);
    free(fixture);
    return 0;
}

/* Adds a raw frame of @bytes, unlike all others, that claims to hold one chunk. */
static struct stay_id add(struct fixture *fixture, uint32_t mask, size_t bytes)
{
    struct stay_frame_info info = {
        .stored = (uint32_t)bytes, .raw = (uint32_t)bytes, .codec = STAY_CODEC_RAW};
    struct stay_id id;

    stay_random_fill(&fixture->random, &id, sizeof id);
    memcpy(fixture->data, &id, sizeof id);
    *stay_vec_push(&info.chunks) = (struct stay_frame_chunk){id, 1, STAY_USTAR_BLOCK};
    stay_packer_add(fixture->packer, mask, &info, fixture->data, fixture->digest);
    assert_int_equal(info.chunks.n, 0);
    atomic_fetch_add(&fixture->added, 1);
    return id;
}

static bool stored(const struct fixture *fixture, size_t i, const struct stay_id *id)
{
    stay_auto(stay_index_free) struct stay_index *index = NULL;

    assert_int_equal(stay_repository_index(fixture->rig->repositories[i], NULL, &index, NULL, NULL),
                     0);
    return stay_index_find(index, id) != NULL;
}

static size_t puts_of(const struct fixture *fixture, size_t i, const char *prefix)
{
    return stay_dest_log_count(stay_failing_dest_log(fixture->rig->stores[i]->failing),
                               STAY_DEST_OP_PUT, prefix);
}

static void a_frame_is_found_on_each_destination_of_its_mask(void **state)
{
    struct fixture *fixture = *state;
    struct stay_id ids[8];
    size_t n;

    for (uint32_t mask = 1; mask < 8; mask++)
        ids[mask] = add(fixture, mask, 5000);
    stay_packer_finish(fixture->packer, fixture->digest);
    for (size_t i = 0; i < 3; i++) {
        assert_null(stay_packer_error(fixture->packer, i));
        for (uint32_t mask = 1; mask < 8; mask++)
            assert_int_equal(stored(fixture, i, &ids[mask]), mask >> i & 1);
        (void)stay_packer_packs(fixture->packer, i, &n);
        assert_int_equal(n, 4); /* frames share packs with those of the same mask alone */
        (void)stay_packer_objects(fixture->packer, i, &n);
        assert_int_equal(n, 1);
        assert_int_equal(stay_packer_stored(fixture->packer, i), rig_pack_bytes(fixture->rig, i));
    }
    assert_int_equal(stay_packer_alive(fixture->packer), 7);
}

static void frames_share_a_pack_until_it_is_full(void **state)
{
    struct fixture *fixture = *state;
    size_t n;

    for (int i = 0; i < 2 * FRAMES_PER_PACK + 1; i++)
        (void)add(fixture, 1, FRAME);
    stay_packer_finish(fixture->packer, fixture->digest);
    const struct stay_pack *const *packs = stay_packer_packs(fixture->packer, 0, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_null(packs[i]->tar.data);
    (void)stay_packer_packs(fixture->packer, 1, &n);
    assert_int_equal(n, 0);
    assert_int_equal(puts_of(fixture, 1, "index/"), 0);
}

static void a_pack_is_durable_before_the_index_that_names_it(void **state)
{
    struct fixture *fixture = *state;
    size_t n;
    size_t packs = 0;

    for (int i = 0; i < FRAMES_PER_PACK + 1; i++)
        (void)add(fixture, 1, FRAME);
    stay_packer_finish(fixture->packer, fixture->digest);
    const struct stay_dest_entry *entries =
        stay_dest_log_entries(stay_failing_dest_log(fixture->rig->stores[0]->failing), &n);
    for (size_t i = 0; i < n; i++) {
        packs += stay_str_starts(entries[i].name, "packs/");
        if (stay_str_starts(entries[i].name, "index/"))
            assert_int_equal(packs, 2);
    }
    assert_int_equal(packs, 2);
    assert_int_equal(puts_of(fixture, 0, "index/"), 1);
}

static void a_destination_that_fails_is_left_out_and_the_others_go_on(void **state)
{
    struct fixture *fixture = *state;
    struct stay_id ids[8];

    rig_fail(fixture->rig, 1, STAY_DEST_OP_PUT, "packs/", 2);
    for (size_t i = 0; i < 3; i++) {
        for (int k = 0; k < FRAMES_PER_PACK; k++)
            ids[i] = add(fixture, 7, FRAME);
        while (i == 1 && stay_packer_alive(fixture->packer) == 7)
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(stay_packer_alive(fixture->packer), 5);
    stay_packer_finish(fixture->packer, fixture->digest);
    assert_int_equal(stay_packer_error(fixture->packer, 1)->kind, STAY_ERR_SPACE);
    assert_true(stay_str_starts(stay_packer_error(fixture->packer, 1)->text,
                                "destination disk: made to fail: put packs/"));
    for (size_t i = 0; i < 3; i++) {
        assert_true(stored(fixture, 0, &ids[i]));
        assert_true(stored(fixture, 2, &ids[i]));
        assert_false(stored(fixture, 1, &ids[i]));
    }
    assert_int_equal(puts_of(fixture, 1, "packs/"), 2); /* after a failure nothing is tried */
    assert_int_equal(puts_of(fixture, 1, "index/"), 0);
}

static void an_index_that_cannot_be_stored_fails_its_destination(void **state)
{
    struct fixture *fixture = *state;

    rig_fail(fixture->rig, 2, STAY_DEST_OP_PUT, "index/", 1);
    (void)add(fixture, 7, 3000);
    stay_packer_finish(fixture->packer, fixture->digest);
    assert_int_equal(stay_packer_alive(fixture->packer), 3);
    assert_int_equal(stay_packer_error(fixture->packer, 2)->kind, STAY_ERR_SPACE);
    assert_null(stay_packer_error(fixture->packer, 0));
}

static void without_frames_nothing_is_stored(void **state)
{
    struct fixture *fixture = *state;
    size_t n;

    stay_packer_finish(fixture->packer, fixture->digest);
    for (size_t i = 0; i < 3; i++) {
        (void)stay_packer_objects(fixture->packer, i, &n);
        assert_int_equal(n, 0);
        assert_int_equal(stay_packer_stored(fixture->packer, i), 0);
    }
}

static void more_masks_than_packs_in_memory_do_not_stop_it(void **state)
{
    struct fixture *fixture = *state;
    struct stay_id ids[70];

    for (uint32_t i = 0; i < 70; i++)
        ids[i] = add(fixture, i % 7 + 1, 3000 + i);
    stay_packer_finish(fixture->packer, fixture->digest);
    for (uint32_t i = 0; i < 70; i++)
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(stored(fixture, k, &ids[i]), (i % 7 + 1) >> k & 1);
}

static void wait_until_opened(void *ctx, enum stay_dest_op op, const char *name)
{
    struct fixture *fixture = ctx;

    (void)name;
    (void)pthread_mutex_lock(&fixture->mutex);
    while (op == STAY_DEST_OP_PUT && fixture->closed)
        (void)pthread_cond_wait(&fixture->opened, &fixture->mutex);
    (void)pthread_mutex_unlock(&fixture->mutex);
}

static void *add_seven_packs(void *ctx)
{
    for (int i = 0; i < 7 * FRAMES_PER_PACK; i++)
        (void)add(ctx, 1, FRAME);
    return NULL;
}

static void a_destination_that_hangs_holds_up_those_who_add(void **state)
{
    struct fixture *fixture = *state;
    unsigned before = 0;
    pthread_t thread;
    size_t n;

    fixture->closed = true;
    stay_memory_dest_set_hook(fixture->rig->stores[0]->memory, wait_until_opened, fixture);
    assert_int_equal(pthread_create(&thread, NULL, add_seven_packs, fixture), 0);
    for (int quiet = 0; quiet < 50;) { /* until nothing was added for half a second */
        unsigned now = atomic_load(&fixture->added);
        quiet = now == before ? quiet + 1 : 0;
        before = now;
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_in_range(before, 2 * FRAMES_PER_PACK, 3 * FRAMES_PER_PACK);
    (void)pthread_mutex_lock(&fixture->mutex);
    fixture->closed = false;
    (void)pthread_cond_broadcast(&fixture->opened);
    (void)pthread_mutex_unlock(&fixture->mutex);
    assert_int_equal(pthread_join(thread, NULL), 0);
    stay_packer_finish(fixture->packer, fixture->digest);
    (void)stay_packer_packs(fixture->packer, 0, &n);
    assert_int_equal(n, 7);
    stay_memory_dest_set_hook(fixture->rig->stores[0]->memory, NULL, NULL);
}

static void what_is_not_finished_can_be_thrown_away(void **state)
{
    struct fixture *fixture = *state;

    (void)add(fixture, 7, 3000);
    for (int i = 0; i < FRAMES_PER_PACK; i++)
        (void)add(fixture, 1, FRAME);
    stay_packer_free(fixture->packer);
    fixture->packer = NULL;
    assert_int_equal(puts_of(fixture, 0, "index/"), 0);
    stay_packer_free(NULL);
}

int main(void)
{
#define WITH_PACKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_PACKER(a_frame_is_found_on_each_destination_of_its_mask),
        WITH_PACKER(frames_share_a_pack_until_it_is_full),
        WITH_PACKER(a_pack_is_durable_before_the_index_that_names_it),
        WITH_PACKER(a_destination_that_fails_is_left_out_and_the_others_go_on),
        WITH_PACKER(an_index_that_cannot_be_stored_fails_its_destination),
        WITH_PACKER(without_frames_nothing_is_stored),
        WITH_PACKER(more_masks_than_packs_in_memory_do_not_stop_it),
        WITH_PACKER(a_destination_that_hangs_holds_up_those_who_add),
        WITH_PACKER(what_is_not_finished_can_be_thrown_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
