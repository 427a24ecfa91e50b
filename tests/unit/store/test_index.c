/* tests/unit/store/test_index.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * index: look-ups against a reference that searches from end to end, and packs that come and go.
 */
#include "store/index.h"

#include "unit/store/packs.h"

enum { MANY = 100000 };

/* A pack of one frame with the chunks @ids: only what the index looks at. */
static void fake_pack(struct stay_pack *pack, unsigned char number, const struct stay_id *ids,
                      size_t n)
{
    struct stay_frame_info info = {.offset = 512, .stored = 100 + number, .raw = 1000};

    *pack = (struct stay_pack){.id = {{number}}, .bytes = 10000u + number};
    for (size_t i = 0; i < n; i++)
        *stay_vec_push(&info.chunks) =
            (struct stay_frame_chunk){ids[i], (uint32_t)(i + 1), (uint32_t)(512 * (i + 1))};
    *stay_vec_push(&pack->frames) = info;
}

static void add_pack(struct stay_index *index, unsigned char number, const struct stay_id *ids,
                     size_t n)
{
    struct stay_pack pack;

    fake_pack(&pack, number, ids, n);
    stay_index_add(index, &pack);
    stay_pack_free(&pack);
}

static void random_ids(struct stay_id *ids, size_t n, uint64_t seed)
{
    struct stay_random random = {seed};

    stay_random_fill(&random, ids, n * sizeof *ids);
}

static void nothing_is_found_in_an_empty_index(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    const struct stay_id id = {{1}};

    (void)state;
    assert_null(stay_index_find(index, &id));
    stay_index_sort(index);
    assert_null(stay_index_find(index, &id));
    assert_int_equal(stay_index_find_pack(index, &id), -1);
    assert_int_equal(stay_index_keep(index, NULL, 0), 0);
    stay_index_free(NULL);
}

static void a_hundred_thousand_random_ids_are_found_and_no_other(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto_free struct stay_id *ids = stay_calloc(MANY, sizeof *ids);
    stay_auto_free struct stay_id *others = stay_calloc(MANY, sizeof *others);

    (void)state;
    random_ids(ids, MANY, 1);
    random_ids(others, MANY, 2);
    for (size_t i = 0; i < 4; i++) {
        add_pack(index, (unsigned char)i, ids + i * MANY / 4, MANY / 4);
        stay_index_sort(index); /* merges what is new with what is sorted */
    }
    for (size_t i = 0; i < MANY; i++) {
        const struct stay_index_chunk *chunk = stay_index_find(index, &ids[i]);
        assert_non_null(chunk);
        assert_true(stay_id_equal(&chunk->id, &ids[i]));
        assert_int_equal(chunk->frame, i / (MANY / 4));
        assert_int_equal(chunk->bytes, i % (MANY / 4) + 1);
        assert_null(stay_index_find(index, &others[i]));
    }
}

/* Ids as an attacker or a strange hash would have them: interpolation must not lose its way. */
static void unevenly_spread_ids_are_found_as_well(void **state)
{
    enum { N = 3000 };
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto_free struct stay_id *ids = stay_calloc(N, sizeof *ids);
    struct stay_id absent;

    (void)state;
    random_ids(ids, N, 3);
    for (size_t i = 0; i < N; i++) {
        if (i < N / 3)
            memset(ids[i].bytes, 0, 24); /* the leading bytes are all the same */
        else if (i < 2 * N / 3)
            memset(ids[i].bytes, 0xff, 7);
    }
    memset(&ids[0], 0, sizeof ids[0]);
    memset(&ids[1], 0xff, sizeof ids[1]);
    add_pack(index, 1, ids, N);
    stay_index_sort(index);
    for (size_t i = 0; i < N; i++) {
        const struct stay_index_chunk *chunk = stay_index_find(index, &ids[i]);
        assert_non_null(chunk);
        assert_int_equal(chunk->bytes, i + 1);
        absent = ids[i];
        absent.bytes[31] ^= 1;
        assert_null(stay_index_find(index, &absent));
    }
}

static void the_chunk_table_is_sorted_whatever_the_order_of_adding(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_random random = {4};
    struct stay_id ids[100];
    size_t n;

    (void)state;
    for (unsigned char i = 0; i < 50; i++) {
        random_ids(ids, 100, i);
        add_pack(index, i, ids, 1 + stay_random_below(&random, 100));
        if (stay_random_below(&random, 3) == 0)
            stay_index_sort(index);
    }
    stay_index_sort(index);
    const struct stay_index_chunk *chunks = stay_index_chunks(index, &n);
    for (size_t i = 1; i < n; i++)
        assert_true(memcmp(&chunks[i - 1].id, &chunks[i].id, STAY_ID_BYTES) < 0);
}

static void a_pack_is_added_once(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_id ids[10];
    size_t n;

    (void)state;
    random_ids(ids, 10, 5);
    add_pack(index, 7, ids, 10);
    add_pack(index, 7, ids, 10);
    stay_index_sort(index);
    (void)stay_index_chunks(index, &n);
    assert_int_equal(n, 10);
    const struct stay_index_pack *packs = stay_index_packs(index, &n);
    assert_int_equal(n, 1);
    assert_int_equal(packs[0].bytes, 10007);
    assert_int_equal(stay_index_find_pack(index, &packs[0].id), 0);
}

static void a_chunk_in_two_packs_is_found_while_one_of_them_exists(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    const struct stay_id first = {{1}};
    const struct stay_id second = {{2}};
    struct stay_id id;

    (void)state;
    random_ids(&id, 1, 6);
    add_pack(index, 1, &id, 1);
    add_pack(index, 2, &id, 1);
    stay_index_sort(index);
    assert_int_equal(stay_index_keep(index, &second, 1), 1);
    assert_int_equal(stay_index_find(index, &id)->frame, 1);
    assert_false(stay_index_has_pack(index, 0));
    assert_true(stay_index_has_pack(index, 1));
    assert_int_equal(stay_index_keep(index, &first, 1), 1);
    assert_int_equal(stay_index_find(index, &id)->frame, 0);
    assert_int_equal(stay_index_keep(index, NULL, 0), 2);
    assert_null(stay_index_find(index, &id));
}

static void a_pack_added_after_the_listing_exists(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_id ids[2];

    (void)state;
    random_ids(ids, 2, 7);
    add_pack(index, 1, &ids[0], 1);
    assert_int_equal(stay_index_keep(index, NULL, 0), 1);
    add_pack(index, 2, &ids[1], 1);
    stay_index_sort(index);
    assert_null(stay_index_find(index, &ids[0]));
    assert_non_null(stay_index_find(index, &ids[1]));
}

static void a_lost_pack_that_is_stored_again_exists_again(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_id id;
    size_t n;

    (void)state;
    random_ids(&id, 1, 8);
    add_pack(index, 1, &id, 1);
    stay_index_sort(index);
    assert_int_equal(stay_index_keep(index, NULL, 0), 1);
    assert_null(stay_index_find(index, &id));
    add_pack(index, 1, &id, 1);
    stay_index_sort(index);
    assert_non_null(stay_index_find(index, &id));
    (void)stay_index_packs(index, &n);
    assert_int_equal(n, 1);
}

static void a_frame_is_described_as_it_was_added(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    struct stay_random random = {9};
    struct stay_pack pack = {0};
    size_t n;

    (void)state;
    make_pack(&pack, &random, 3, 4);
    stay_index_add(index, &pack);
    const struct stay_index_frame *frames = stay_index_frames(index, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        const struct stay_frame_info info = stay_index_frame_info(index, &frames[i]);
        assert_int_equal(frames[i].number, i);
        assert_int_equal(info.offset, pack.frames.items[i].offset);
        assert_int_equal(info.stored, pack.frames.items[i].stored);
        assert_int_equal(info.raw, pack.frames.items[i].raw);
        assert_int_equal(info.codec, pack.frames.items[i].codec);
        assert_int_equal(info.chunks.n, 0);
    }
    stay_pack_free(&pack);
}

static void a_chunk_takes_less_than_64_bytes(void **state)
{
    (void)state;
    assert_true(sizeof(struct stay_index_chunk) < 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_in_an_empty_index),
        cmocka_unit_test(a_hundred_thousand_random_ids_are_found_and_no_other),
        cmocka_unit_test(unevenly_spread_ids_are_found_as_well),
        cmocka_unit_test(the_chunk_table_is_sorted_whatever_the_order_of_adding),
        cmocka_unit_test(a_pack_is_added_once),
        cmocka_unit_test(a_chunk_in_two_packs_is_found_while_one_of_them_exists),
        cmocka_unit_test(a_pack_added_after_the_listing_exists),
        cmocka_unit_test(a_lost_pack_that_is_stored_again_exists_again),
        cmocka_unit_test(a_frame_is_described_as_it_was_added),
        cmocka_unit_test(a_chunk_takes_less_than_64_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
