/* tests/unit/store/test_repository_index.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * repository index: from the objects, through the cache, and against the packs that exist.
 */
#include "store/repository.h"

#include "unit/store/packs.h"
#include "unit/store/stores.h"

struct fixture {
    struct made_store *store;
    char *folder;
    char *cache;
    struct stay_pack packs[3];
    struct stay_id objects[3]; /* one for each pack */
    struct stay_buf seen;      /* damage, one line each */
};

static void put_pack(struct fixture *fixture, size_t i)
{
    char name[STAY_PACK_NAME_MAX];
    const struct stay_pack *pack = &fixture->packs[i];

    stay_memory_dest_write(fixture->store->memory, stay_pack_name(name, &pack->id), pack->tar.data,
                           pack->tar.len);
}

static char *object_name(const struct fixture *fixture, size_t i)
{
    char hex[STAY_ID_HEX + 1];

    return stay_strf("index/%s", stay_id_hex(hex, &fixture->objects[i]));
}

static void put_object(struct fixture *fixture, size_t i)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf object = {0};
    const struct stay_pack *list = &fixture->packs[i];

    assert_int_equal(stay_index_encode(&object, &list, 1, NULL), 0);
    stay_digest_of(digest, object.data, object.len, &fixture->objects[i]);
    stay_auto_str char *name = object_name(fixture, i);
    stay_memory_dest_write(fixture->store->memory, name, object.data, object.len);
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_random random = {1};

    fixture->store = new_store();
    assert_int_equal(stay_fs_make_scratch(&fixture->folder, "/tmp/backstay-cache-", NULL), 0);
    fixture->cache = stay_strf("%s/repository.index", fixture->folder);
    for (size_t i = 0; i < 3; i++) {
        make_pack(&fixture->packs[i], &random, 2, 3);
        put_pack(fixture, i);
        put_object(fixture, i);
    }
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    int rc = stay_fs_remove_tree(fixture->folder, NULL);

    for (size_t i = 0; i < 3; i++)
        stay_pack_free(&fixture->packs[i]);
    free_store(fixture->store);
    stay_buf_free(&fixture->seen);
    free(fixture->folder);
    free(fixture->cache);
    free(fixture);
    return rc;
}

static void note_damage(void *ctx, const char *object, const struct stay_err *why)
{
    stay_buf_printf(ctx, "%s: %s\n", object, why->text);
}

static struct stay_index *load(struct fixture *fixture, bool with_cache)
{
    const struct stay_index_watch watch = {note_damage, &fixture->seen};
    struct stay_index *index = NULL;

    stay_buf_clear(&fixture->seen);
    assert_ok(stay_repository_index(fixture->store->repository, with_cache ? fixture->cache : NULL,
                                    &index, &watch, &fixture->store->err),
              fixture->store->err);
    return index;
}

static bool has(const struct stay_index *index, const struct stay_pack *pack)
{
    size_t found = 0;
    size_t all = 0;

    for (size_t i = 0; i < pack->frames.n; i++) {
        const struct stay_frame_info *frame = &pack->frames.items[i];
        for (size_t k = 0; k < frame->chunks.n; k++, all++)
            found += stay_index_find(index, &frame->chunks.items[k].id) != NULL;
    }
    assert_true(found == 0 || found == all);
    return found > 0;
}

static size_t gets(const struct fixture *fixture)
{
    return stay_dest_log_count(stay_failing_dest_log(fixture->store->failing), STAY_DEST_OP_GET,
                               "index/");
}

static void all_objects_make_one_index(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *index = load(fixture, false);

    for (size_t i = 0; i < 3; i++)
        assert_true(has(index, &fixture->packs[i]));
    assert_int_equal(fixture->seen.len, 0);
}

static void the_cache_saves_reading_the_objects_again(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *first = load(fixture, true);
    size_t before = gets(fixture);
    stay_auto(stay_index_free) struct stay_index *second = load(fixture, true);

    assert_true(before >= 3);
    assert_int_equal(gets(fixture), before);
    for (size_t i = 0; i < 3; i++)
        assert_true(has(second, &fixture->packs[i]));
}

static void only_what_is_new_is_read_beside_the_cache(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *name = object_name(fixture, 2);
    stay_auto_buf struct stay_buf object = {0};

    assert_int_equal(stay_memory_dest_read(fixture->store->memory, name, &object), 0);
    assert_int_equal(stay_memory_dest_remove(fixture->store->memory, name), 0);
    stay_auto(stay_index_free) struct stay_index *first = load(fixture, true);
    assert_false(has(first, &fixture->packs[2]));
    stay_memory_dest_write(fixture->store->memory, name, object.data, object.len);
    size_t before = gets(fixture);
    stay_auto(stay_index_free) struct stay_index *second = load(fixture, true);
    assert_true(has(second, &fixture->packs[0]));
    assert_true(has(second, &fixture->packs[2]));
    size_t read_once =
        stay_dest_log_count(stay_failing_dest_log(fixture->store->failing), STAY_DEST_OP_GET, name);
    assert_true(read_once > 0);
    assert_int_equal(gets(fixture) - before, read_once);
}

static void a_cache_from_an_object_that_is_gone_is_not_used(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *first = load(fixture, true);
    stay_auto_str char *name = object_name(fixture, 0);

    assert_int_equal(stay_memory_dest_remove(fixture->store->memory, name), 0);
    stay_auto(stay_index_free) struct stay_index *second = load(fixture, true);
    assert_false(has(second, &fixture->packs[0]));
    assert_true(has(second, &fixture->packs[1]));
}

static void a_damaged_object_is_reported_and_the_rest_works(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *damaged = object_name(fixture, 1);
    stay_auto_str char *expected = stay_strf("%s: its content is not what it was\n", damaged);

    stay_memory_dest_write(fixture->store->memory, damaged, "x", 1);
    for (int i = 0; i < 2; i++) {
        stay_auto(stay_index_free) struct stay_index *index = load(fixture, true);
        assert_string_equal(fixture->seen.data, expected);
        assert_true(has(index, &fixture->packs[0]));
        assert_false(has(index, &fixture->packs[1]));
        assert_true(has(index, &fixture->packs[2]));
    }
}

static void a_forged_object_with_its_right_name_is_reported(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id id;
    char hex[STAY_ID_HEX + 1];

    stay_digest_of(digest, "forged", 6, &id);
    stay_auto_str char *name = stay_strf("index/%s", stay_id_hex(hex, &id));
    stay_auto_str char *expected = stay_strf("%s: not a Zstandard frame with its size\n", name);
    stay_memory_dest_write(fixture->store->memory, name, "forged", 6);
    stay_memory_dest_write(fixture->store->memory, "index/README", "x", 1);
    stay_auto(stay_index_free) struct stay_index *index = load(fixture, false);
    assert_string_equal(fixture->seen.data, expected);
    assert_true(has(index, &fixture->packs[0]));
}

static void chunks_of_a_pack_that_is_gone_or_of_another_size_are_not_found(void **state)
{
    struct fixture *fixture = *state;
    char name[STAY_PACK_NAME_MAX];

    (void)stay_pack_name(name, &fixture->packs[0].id);
    assert_int_equal(stay_memory_dest_remove(fixture->store->memory, name), 0);
    (void)stay_pack_name(name, &fixture->packs[1].id);
    stay_memory_dest_write(fixture->store->memory, name, "short", 5);
    stay_auto(stay_index_free) struct stay_index *index = load(fixture, true);
    assert_false(has(index, &fixture->packs[0]));
    assert_false(has(index, &fixture->packs[1]));
    assert_true(has(index, &fixture->packs[2]));
    put_pack(fixture, 0);
    put_pack(fixture, 1);
    stay_auto(stay_index_free) struct stay_index *healed = load(fixture, true);
    for (size_t i = 0; i < 3; i++)
        assert_true(has(healed, &fixture->packs[i]));
}

static void a_destination_that_fails_ends_it(void **state)
{
    static const struct {
        enum stay_dest_op op;
        const char *prefix;
    } calls[] = {
        {STAY_DEST_OP_LIST, "index/"}, {STAY_DEST_OP_GET, "index/"}, {STAY_DEST_OP_LIST, "packs/"}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(calls); i++) {
        struct stay_index *index = NULL;
        struct stay_err err = {0};
        stay_failing_dest_add(fixture->store->failing,
                              &(struct stay_failing_rule){.op = calls[i].op,
                                                          .prefix = calls[i].prefix,
                                                          .kind = BACKSTAY_ERR_AUTH});
        assert_int_equal(
            stay_repository_index(fixture->store->repository, NULL, &index, NULL, &err), -1);
        assert_int_equal(err.kind, STAY_ERR_AUTH);
        assert_int_equal(err.origin, STAY_ORIGIN_DESTINATION);
        assert_null(index);
    }
}

static void a_cache_that_cannot_be_written_does_not_matter(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_index_free) struct stay_index *index = NULL;
    stay_auto_str char *nowhere = stay_strf("%s/none/x", fixture->folder);

    assert_ok(stay_repository_index(fixture->store->repository, nowhere, &index, NULL,
                                    &fixture->store->err),
              fixture->store->err);
    assert_true(has(index, &fixture->packs[0]));
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(all_objects_make_one_index),
        WITH_STORE(the_cache_saves_reading_the_objects_again),
        WITH_STORE(only_what_is_new_is_read_beside_the_cache),
        WITH_STORE(a_cache_from_an_object_that_is_gone_is_not_used),
        WITH_STORE(a_damaged_object_is_reported_and_the_rest_works),
        WITH_STORE(a_forged_object_with_its_right_name_is_reported),
        WITH_STORE(chunks_of_a_pack_that_is_gone_or_of_another_size_are_not_found),
        WITH_STORE(a_destination_that_fails_ends_it),
        WITH_STORE(a_cache_that_cannot_be_written_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
