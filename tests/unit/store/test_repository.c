/* tests/unit/store/test_repository.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * repository: making one once, opening it, and refusing what is none.
 */
#include "store/repository.h"

#include "unit/store/stores.h"

static int setup(void **state)
{
    *state = empty_store();
    return 0;
}

static int teardown(void **state)
{
    free_store(*state);
    return 0;
}

static int init(struct made_store *store)
{
    return stay_repository_init(store->dest, NULL, stay_clock_system(), &store->err);
}

static int open_it(struct made_store *store)
{
    stay_repository_free(store->repository);
    store->repository = NULL;
    return stay_repository_open(&store->repository, store->dest, &store->err);
}

static void a_new_repository_can_be_opened(void **state)
{
    struct made_store *store = *state;

    assert_ok(init(store), store->err);
    assert_ok(open_it(store), store->err);
    assert_int_equal(strlen(store->repository->id), STAY_REPOSITORY_ID);
    assert_true(stay_chunker_valid(&store->repository->chunker));
    assert_ptr_equal(store->repository->dest, store->dest);
    stay_repository_free(NULL);
}

static void the_texts_lie_beside_it_and_are_what_it_says(void **state)
{
    struct made_store *store = *state;
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    size_t n;
    const struct stay_asset *assets = stay_assets(&n);

    assert_ok(init(store), store->err);
    assert_ok(open_it(store), store->err);
    assert_int_equal(n, 2);
    assert_int_equal(store->repository->n_files, n);
    for (size_t i = 0; i < n; i++) {
        const struct stay_repository_file *file = &store->repository->files[i];
        stay_auto_buf struct stay_buf text = {0};
        struct stay_id sum;
        assert_int_equal(stay_memory_dest_read(store->memory, file->name, &text), 0);
        stay_digest_of(digest, text.data, text.len, &sum);
        assert_true(stay_id_equal(&sum, &file->sum));
        assert_int_equal(stay_memory_dest_read(store->memory, assets[i].name, NULL), 0);
    }
}

static void the_configuration_is_written_last(void **state)
{
    struct made_store *store = *state;
    size_t n;

    assert_ok(init(store), store->err);
    const struct stay_dest_entry *entries =
        stay_dest_log_entries(stay_failing_dest_log(store->failing), &n);
    assert_int_equal(entries[n - 1].op, STAY_DEST_OP_PUT_IF_ABSENT);
    assert_string_equal(entries[n - 1].name, "backstay.json");
    assert_int_equal(stay_dest_log_count(stay_failing_dest_log(store->failing), STAY_DEST_OP_PUT,
                                         "backstay.json"),
                     0);
}

static void a_repository_that_exists_is_left_alone(void **state)
{
    struct made_store *store = *state;
    stay_auto_buf struct stay_buf before = {0};
    stay_auto_buf struct stay_buf after = {0};

    assert_ok(init(store), store->err);
    assert_int_equal(stay_memory_dest_read(store->memory, "backstay.json", &before), 0);
    assert_int_equal(init(store), STAY_REPOSITORY_EXISTS);
    assert_int_equal(stay_memory_dest_read(store->memory, "backstay.json", &after), 0);
    assert_string_equal(before.data, after.data);
}

static void put_other_config(void *ctx, enum stay_dest_op op, const char *name)
{
    struct made_store *store = ctx;

    if (op == STAY_DEST_OP_PUT_IF_ABSENT && strcmp(name, "backstay.json") == 0)
        stay_memory_dest_write(store->memory, name, "theirs", 6);
}

static void of_two_that_make_one_at_once_the_second_yields(void **state)
{
    struct made_store *store = *state;
    stay_auto_buf struct stay_buf config = {0};

    stay_memory_dest_set_hook(store->memory, put_other_config, store);
    assert_int_equal(init(store), STAY_REPOSITORY_EXISTS);
    assert_int_equal(stay_memory_dest_read(store->memory, "backstay.json", &config), 0);
    assert_string_equal(config.data, "theirs");
}

static void chunker_parameters_can_be_taken_over(void **state)
{
    struct made_store *store = *state;
    struct made_store *other = new_store();

    assert_ok(stay_repository_init(store->dest, &other->repository->chunker, stay_clock_system(),
                                   &store->err),
              store->err);
    assert_ok(open_it(store), store->err);
    assert_memory_equal(&store->repository->chunker, &other->repository->chunker,
                        sizeof store->repository->chunker);
    assert_string_not_equal(store->repository->id, other->repository->id);
    free_store(other);
}

static void where_there_is_none_one_learns_how_to_make_it(void **state)
{
    struct made_store *store = *state;

    assert_int_equal(open_it(store), -1);
    assert_error(store->err, STAY_ERR_CONFIG,
                 "destination disk holds no repository (no backstay.json there); make one with "
                 "\"backstay init\", and if there should be one, see that it is mounted");
}

static void a_damaged_configuration_is_refused(void **state)
{
    struct made_store *store = *state;
    stay_auto_buf struct stay_buf text = {0};

    assert_ok(init(store), store->err);
    assert_int_equal(stay_memory_dest_read(store->memory, "backstay.json", &text), 0);
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] ^= 1;
        stay_memory_dest_write(store->memory, "backstay.json", text.data, text.len);
        assert_int_equal(open_it(store), -1);
        assert_error(store->err, STAY_ERR_CORRUPT,
                     "destination disk: backstay.json is damaged: its content does not match its "
                     "checksum");
        text.data[i] ^= 1;
    }
}

/* Seals the configuration with @key of its member @inside (NULL: its own) set to @value. */
static void forge(struct made_store *store, const char *inside, const char *key, json_t *value)
{
    stay_auto(json_decref) json_t *object = NULL;
    stay_auto_buf struct stay_buf text = {0};
    stay_auto_buf struct stay_buf forged = {0};

    if (stay_memory_dest_read(store->memory, "original", &text) != 0) {
        assert_int_equal(stay_memory_dest_read(store->memory, "backstay.json", &text), 0);
        stay_memory_dest_write(store->memory, "original", text.data, text.len);
    }
    assert_int_equal(stay_doc_open(&object, &text, "sample", NULL), 0);
    assert_int_equal(json_object_del(object, "sha256"), 0);
    assert_int_equal(
        json_object_set_new(inside ? json_object_get(object, inside) : object, key, value), 0);
    stay_doc_seal(&forged, object);
    stay_memory_dest_write(store->memory, "backstay.json", forged.data, forged.len);
}

static json_t *sizes(json_int_t min, json_int_t mean, json_int_t max)
{
    return json_pack("{s:I, s:I, s:I}", "min", min, "mean", mean, "max", max);
}

static void a_forged_configuration_is_refused(void **state)
{
    struct made_store *store = *state;
    const struct {
        const char *inside;
        const char *key;
        json_t *value;
        enum stay_kind kind;
        const char *error;
    } forged[] = {
        {NULL, "format", json_integer(2), STAY_ERR_CONFIG,
         "the repository has format 2 and this version reads format 1: use a newer backstay"},
        {NULL, "kind", json_string("snapshot"), STAY_ERR_CORRUPT, "its identity is malformed"},
        {NULL, "id", json_string("../../../../../../../../../../../"), STAY_ERR_CORRUPT,
         "its identity is malformed"},
        {NULL, "recipients", json_pack("[s]", "age1x"), STAY_ERR_CONFIG,
         "the repository is encrypted, which this version does not support: use a newer backstay"},
        {NULL, "created", json_string("yesterday"), STAY_ERR_CORRUPT,
         "member \"created\" is missing or not a time"},
        {NULL, "files", json_pack("{s:s}", "README.txt", "x"), STAY_ERR_CORRUPT,
         "its list of files is malformed"},
        {"chunker", "algorithm", json_string("gear-2"), STAY_ERR_CORRUPT,
         "the chunker parameters are not usable"},
        {"chunker", "key", json_string("00"), STAY_ERR_CORRUPT,
         "the chunker parameters are not usable"},
        {"chunker", "plain", sizes(0, 4096, 8192), STAY_ERR_CORRUPT,
         "the chunker parameters are not usable"},
        {"chunker", "dense", sizes(64, 4096, 1 << 30), STAY_ERR_CORRUPT,
         "the chunker parameters are not usable"},
        {"chunker", "dense", sizes(64, 4096, (json_int_t)1 << 40), STAY_ERR_CORRUPT,
         "member \"max\" is missing or not a number in range"},
    };

    assert_ok(init(store), store->err);
    for (size_t i = 0; i < STAY_COUNT(forged); i++) {
        stay_auto_str char *expected = stay_strf("destination disk: %s", forged[i].error);
        forge(store, forged[i].inside, forged[i].key, forged[i].value);
        assert_int_equal(open_it(store), -1);
        assert_error(store->err, forged[i].kind, expected);
    }
}

static void a_list_of_more_files_than_there_can_be_is_refused(void **state)
{
    struct made_store *store = *state;
    json_t *files = json_object();
    char hex[STAY_ID_HEX + 1];

    for (int i = 0; i <= STAY_REPOSITORY_FILES; i++) {
        stay_auto_str char *name = stay_strf("file-%d", i);
        stay_doc_set_text(files, name, stay_id_hex(hex, &(struct stay_id){0}));
    }
    assert_ok(init(store), store->err);
    forge(store, NULL, "files", files);
    assert_int_equal(open_it(store), -1);
    assert_error(store->err, STAY_ERR_CORRUPT, "destination disk: its list of files is malformed");
}

static void a_snapshot_that_is_not_there_is_absent(void **state)
{
    struct made_store *store = *state;
    struct stay_snapshot *snapshot = NULL;

    assert_ok(init(store), store->err);
    assert_ok(open_it(store), store->err);
    assert_int_equal(
        stay_repository_snapshot(store->repository, SAMPLE_NAME, &snapshot, &store->err), -1);
    assert_error(store->err, STAY_ERR_ABSENT, "there is no object " SAMPLE_NAME);
    put_snapshot(store, "media", INT64_C(1795314600000000000), "0a1b2c3d");
    assert_ok(stay_repository_snapshot(store->repository, SAMPLE_NAME, &snapshot, &store->err),
              store->err);
    assert_string_equal(snapshot->id, "0a1b2c3d");
    stay_snapshot_free(snapshot);
}

static void what_the_destination_says_is_passed_on(void **state)
{
    struct made_store *store = *state;

    stay_failing_dest_add(store->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_GET,
                                                                      .kind = BACKSTAY_ERR_AUTH});
    assert_int_equal(init(store), -1);
    assert_error(store->err, STAY_ERR_AUTH, "destination disk: made to fail: get backstay.json");
    stay_failing_dest_add(store->failing, &(struct stay_failing_rule){.op = STAY_DEST_OP_PUT,
                                                                      .kind = BACKSTAY_ERR_SPACE});
    assert_int_equal(init(store), -1);
    assert_int_equal(store->err.kind, STAY_ERR_SPACE);
    assert_int_equal(stay_memory_dest_read(store->memory, "backstay.json", NULL),
                     STAY_MEMORY_DEST_MISSING);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_new_repository_can_be_opened),
        WITH_STORE(the_texts_lie_beside_it_and_are_what_it_says),
        WITH_STORE(the_configuration_is_written_last),
        WITH_STORE(a_repository_that_exists_is_left_alone),
        WITH_STORE(of_two_that_make_one_at_once_the_second_yields),
        WITH_STORE(chunker_parameters_can_be_taken_over),
        WITH_STORE(where_there_is_none_one_learns_how_to_make_it),
        WITH_STORE(a_damaged_configuration_is_refused),
        WITH_STORE(a_forged_configuration_is_refused),
        WITH_STORE(a_list_of_more_files_than_there_can_be_is_refused),
        WITH_STORE(a_snapshot_that_is_not_there_is_absent),
        WITH_STORE(what_the_destination_says_is_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
