/* tests/unit/store/test_repository_reindex.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * repository reindex: an index out of the packs alone.
 */
#include "store/repository.h"

#include "unit/store/packs.h"
#include "unit/store/stores.h"

struct fixture {
    struct made_store *store;
    struct stay_pack packs[2];
    struct stay_snapshot *snapshot;
    struct stay_index *index;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_random random = {1};

    fixture->store = new_store();
    fixture->snapshot = stay_new(struct stay_snapshot);
    fixture->index = stay_index_new();
    for (size_t i = 0; i < 2; i++) {
        char name[STAY_PACK_NAME_MAX];
        struct stay_pack *pack = &fixture->packs[i];
        make_pack(pack, &random, 3, 4);
        stay_memory_dest_write(fixture->store->memory, stay_pack_name(name, &pack->id),
                               pack->tar.data, pack->tar.len);
        *stay_vec_push(&fixture->snapshot->packs) =
            (struct stay_snapshot_pack){.id = pack->id, .bytes = pack->bytes};
    }
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2; i++)
        stay_pack_free(&fixture->packs[i]);
    stay_snapshot_free(fixture->snapshot);
    stay_index_free(fixture->index);
    free_store(fixture->store);
    free(fixture);
    return 0;
}

static int reindex(struct fixture *fixture)
{
    return stay_repository_reindex(fixture->store->repository, fixture->snapshot, fixture->index,
                                   &fixture->store->err);
}

static size_t packs_read(const struct fixture *fixture)
{
    size_t n = 0;

    for (size_t i = 0; i < 2; i++) {
        char name[STAY_PACK_NAME_MAX];
        n += stay_dest_log_count(stay_failing_dest_log(fixture->store->failing), STAY_DEST_OP_GET,
                                 stay_pack_name(name, &fixture->packs[i].id)) > 0;
    }
    return n;
}

static void assert_has(const struct fixture *fixture, size_t i)
{
    for (size_t k = 0; k < fixture->packs[i].frames.n; k++) {
        const struct stay_frame_info *frame = &fixture->packs[i].frames.items[k];
        for (size_t c = 0; c < frame->chunks.n; c++) {
            size_t n;
            const struct stay_index_chunk *chunk =
                stay_index_find(fixture->index, &frame->chunks.items[c].id);
            assert_non_null(chunk);
            assert_int_equal(chunk->offset, frame->chunks.items[c].offset);
            const struct stay_index_frame *place =
                &stay_index_frames(fixture->index, &n)[chunk->frame];
            assert_int_equal(place->offset, frame->offset);
            assert_int_equal(place->stored, frame->stored);
            assert_int_equal(place->raw, frame->raw);
        }
    }
}

static void packs_that_no_index_knows_are_read(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(reindex(fixture), fixture->store->err);
    assert_has(fixture, 0);
    assert_has(fixture, 1);
    assert_int_equal(packs_read(fixture), 2);
}

static void packs_that_the_index_knows_are_not_read(void **state)
{
    struct fixture *fixture = *state;

    stay_index_add(fixture->index, &fixture->packs[0]);
    assert_ok(reindex(fixture), fixture->store->err);
    assert_has(fixture, 0);
    assert_has(fixture, 1);
    assert_int_equal(packs_read(fixture), 1);
}

static void a_pack_that_is_damaged_or_missing_does_not_end_it(void **state)
{
    struct fixture *fixture = *state;
    char name[STAY_PACK_NAME_MAX];

    (void)stay_pack_name(name, &fixture->packs[0].id);
    fixture->packs[0].tar.data[600] ^= 1;
    stay_memory_dest_write(fixture->store->memory, name, fixture->packs[0].tar.data,
                           fixture->packs[0].tar.len);
    assert_ok(reindex(fixture), fixture->store->err);
    assert_has(fixture, 1);
    assert_int_equal(stay_index_find_pack(fixture->index, &fixture->packs[0].id), -1);
    assert_int_equal(stay_memory_dest_remove(fixture->store->memory, name), 0);
    assert_ok(reindex(fixture), fixture->store->err);
    assert_int_equal(stay_index_find_pack(fixture->index, &fixture->packs[0].id), -1);
}

static void a_destination_that_fails_ends_it(void **state)
{
    struct fixture *fixture = *state;

    stay_failing_dest_add(
        fixture->store->failing,
        &(struct stay_failing_rule){.op = STAY_DEST_OP_GET, .kind = BACKSTAY_ERR_AUTH});
    assert_int_equal(reindex(fixture), -1);
    assert_int_equal(fixture->store->err.kind, STAY_ERR_AUTH);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(packs_that_no_index_knows_are_read),
        WITH_STORE(packs_that_the_index_knows_are_not_read),
        WITH_STORE(a_pack_that_is_damaged_or_missing_does_not_end_it),
        WITH_STORE(a_destination_that_fails_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
