/* tests/unit/engine/test_feed.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * feed: pull and bulk mode deliver the same bytes, each once, and name what they cannot deliver.
 */
#include "engine/feed.h"

#include "unit/engine/files.h"
#include "unit/engine/forge.h"

#include <pthread.h>

/* What was delivered of one file. */
struct received {
    char *data;
    size_t len; /* so far */
    unsigned wholes;
    unsigned finishes;
    unsigned damaged;
};

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_view *view;
    struct stay_index *index;
    uint32_t *entries;
    size_t n;
    struct stay_feed *feed;
    pthread_mutex_t mutex; /* guards what follows */
    struct received received[FILES];
    unsigned calls;
    unsigned fail_at; /* the n-th delivery fails; 0: none */
};

static void open_feed(struct fixture *fixture)
{
    stay_index_free(fixture->index);
    fixture->index = NULL;
    assert_ok(stay_repository_index(fixture->rig->repositories[0], NULL, &fixture->index, NULL,
                                    &fixture->rig->err),
              fixture->rig->err);
    const struct stay_feed_options options = {
        .dest = fixture->rig->stores[0]->dest,
        .index = fixture->index,
        .tree = fixture->view->tree,
        .entries = fixture->entries,
        .n = fixture->n,
        .threads = 3,
        .cancel = &fixture->rig->cancel,
        .progress = &fixture->rig->progress,
    };
    stay_feed_free(fixture->feed);
    fixture->feed = stay_feed_new(&options);
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_backup_result result;

    (void)pthread_mutex_init(&fixture->mutex, NULL);
    fixture->rig = new_rig(1);
    fixture->files = make_files(2);
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &result), fixture->rig->err);
    fixture->view = rig_view(fixture->rig, 0);
    assert_ok(stay_tree_select(fixture->view->tree, NULL, &fixture->entries, &fixture->n,
                               &fixture->rig->err),
              fixture->rig->err);
    open_feed(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < FILES; i++)
        free(fixture->received[i].data);
    stay_feed_free(fixture->feed);
    stay_index_free(fixture->index);
    stay_view_free(fixture->view);
    free(fixture->entries);
    free_files(fixture->files);
    free_rig(fixture->rig);
    (void)pthread_mutex_destroy(&fixture->mutex);
    free(fixture);
    return 0;
}

/* Takes a delivery of the file that @entry names; the lock is held. */
static struct received *take(struct fixture *fixture, const struct backstay_entry *entry,
                             uint64_t offset, const void *data, size_t len)
{
    int number = files_find(fixture->files, entry->path);
    struct received *received = &fixture->received[number];

    assert_in_range(number, 0, FILES - 1);
    assert_true(offset + len <= fixture->files->lengths[number]);
    if (received->data == NULL)
        received->data = stay_calloc(FILE_MOST, 1);
    if (len)
        memcpy(received->data + offset, data, len);
    received->len += len;
    return received;
}

static int answer(struct fixture *fixture, struct backstay_error *err)
{
    bool fails = ++fixture->calls == fixture->fail_at;

    if (fails) {
        err->kind = BACKSTAY_ERR_SPACE;
        (void)snprintf(err->text, sizeof err->text, "no room");
    }
    (void)pthread_mutex_unlock(&fixture->mutex);
    return fails ? -1 : 0;
}

static int whole(void *ctx, uint64_t index, const struct backstay_entry *entry, const void *data,
                 size_t len, struct backstay_error *err)
{
    struct fixture *fixture = ctx;

    (void)index;
    (void)pthread_mutex_lock(&fixture->mutex);
    take(fixture, entry, 0, data, len)->wholes++;
    return answer(fixture, err);
}

static int piece(void *ctx, uint64_t index, const struct backstay_entry *entry, uint64_t offset,
                 const void *data, size_t len, struct backstay_error *err)
{
    struct fixture *fixture = ctx;

    (void)index;
    (void)pthread_mutex_lock(&fixture->mutex);
    (void)take(fixture, entry, offset, data, len);
    return answer(fixture, err);
}

static int finish(void *ctx, uint64_t index, const struct backstay_entry *entry, int damaged,
                  struct backstay_error *err)
{
    struct fixture *fixture = ctx;

    (void)index;
    (void)err;
    (void)pthread_mutex_lock(&fixture->mutex);
    struct received *received = take(fixture, entry, 0, NULL, 0);
    received->finishes++;
    received->damaged += damaged != 0;
    (void)pthread_mutex_unlock(&fixture->mutex);
    return 0;
}

static const struct backstay_bulk ops = {
    .size = sizeof ops, .whole = whole, .piece = piece, .finish = finish};

static int bulk(struct fixture *fixture, const unsigned char *wanted)
{
    struct backstay_feed *abi = stay_feed_abi(fixture->feed);

    return abi->bulk(abi, &ops, fixture, wanted);
}

static bool is_whole(const struct fixture *fixture, size_t i)
{
    const struct received *received = &fixture->received[i];

    return received->data && received->len == fixture->files->lengths[i] &&
           memcmp(received->data, fixture->files->contents[i], received->len) == 0;
}

static struct stay_feed_result result_of(struct fixture *fixture)
{
    struct stay_feed_result result;

    stay_feed_result(fixture->feed, &result);
    return result;
}

static const char *problem_of(struct fixture *fixture, const char *path)
{
    const struct stay_feed_result result = result_of(fixture);

    for (size_t i = 0; i < result.n_problems; i++)
        if (strcmp(result.problems[i].path, path) == 0)
            return result.problems[i].text;
    return NULL;
}

static void bulk_mode_delivers_every_file_once(void **state)
{
    struct fixture *fixture = *state;
    uint64_t bytes = 0;

    assert_int_equal(bulk(fixture, NULL), 0);
    for (size_t i = 0; i < FILES; i++) {
        const struct received *received = &fixture->received[i];
        assert_true(is_whole(fixture, i));
        assert_int_equal(received->wholes + received->finishes, 1);
        assert_int_equal(received->damaged, 0);
        bytes += fixture->files->lengths[i];
    }
    assert_int_equal(result_of(fixture).n_problems, 0);
    assert_int_equal(result_of(fixture).bytes, bytes);
}

static ssize_t pull(struct fixture *fixture, uint64_t index, char *to, size_t portion)
{
    struct backstay_feed *abi = stay_feed_abi(fixture->feed);
    struct backstay_reader *reader = NULL;
    size_t len = 0;
    ssize_t n;

    if (abi->open(abi, index, &reader) < 0)
        return -1;
    while ((n = abi->read(abi, reader, to + len, portion)) > 0)
        len += (size_t)n;
    abi->close(abi, reader);
    return n < 0 ? -1 : (ssize_t)len;
}

static void pull_mode_delivers_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_feed *abi = stay_feed_abi(fixture->feed);
    struct backstay_cursor *cursor = abi->cursor_open(abi);
    stay_auto_free char *data = stay_malloc(2 * FILE_MOST);

    for (uint64_t i = 0; i < abi->n_entries; i++) {
        const struct backstay_entry *entry = abi->entry(abi, cursor, i);
        int number = files_find(fixture->files, entry->path);
        ssize_t len = pull(fixture, i, data, i % 2 ? 1000 : FILE_MOST);
        assert_int_equal(len, number < 0 ? 0 : (ssize_t)fixture->files->lengths[number]);
        if (number >= 0)
            assert_memory_equal(data, fixture->files->contents[number], (size_t)len);
    }
    assert_null(abi->entry(abi, cursor, abi->n_entries));
    abi->cursor_close(abi, cursor);
    abi->cursor_close(abi, NULL);
    abi->close(abi, NULL);
}

static void only_what_is_wanted_is_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_feed *abi = stay_feed_abi(fixture->feed);
    struct backstay_cursor *cursor = abi->cursor_open(abi);
    stay_auto_free unsigned char *wanted = stay_calloc(fixture->n / 8 + 1, 1);

    for (uint64_t i = 0; i < abi->n_entries; i++) {
        int number = files_find(fixture->files, abi->entry(abi, cursor, i)->path);
        if (number >= 0 && number % 3 == 0)
            wanted[i / 8] |= (unsigned char)(1 << i % 8);
    }
    abi->cursor_close(abi, cursor);
    assert_int_equal(bulk(fixture, wanted), 0);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(is_whole(fixture, i), i % 3 == 0);
}

static void what_a_plugin_cannot_write_is_a_problem_of_that_entry(void **state)
{
    struct fixture *fixture = *state;
    size_t damaged = 0;

    fixture->fail_at = 30;
    assert_int_equal(bulk(fixture, NULL), 0);
    const struct stay_feed_result result = result_of(fixture);
    assert_int_equal(result.n_problems, 1);
    assert_string_equal(result.problems[0].text, "no room");
    for (size_t i = 0; i < FILES; i++)
        damaged += fixture->received[i].damaged;
    assert_in_range(damaged, 0, 1);
}

static void a_damaged_frame_costs_the_files_in_it_alone(void **state)
{
    struct fixture *fixture = *state;
    size_t lost = 0;

    assert_true(damage_packs(fixture->rig, 0, 0) > 0);
    assert_int_equal(bulk(fixture, NULL), 0);
    for (size_t i = 0; i < FILES; i++) {
        const char *problem = problem_of(fixture, fixture->files->paths[i]);
        assert_true((problem == NULL) == is_whole(fixture, i));
        if (problem && fixture->received[i].finishes)
            assert_int_equal(fixture->received[i].damaged, 1);
        lost += problem != NULL;
    }
    assert_in_range(lost, 1, FILES - 20);
}

static void a_chunk_that_is_nowhere_is_a_problem_in_both_modes(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_dest_list struct stay_dest_list list = {0};
    stay_auto_free char *data = stay_malloc(2 * FILE_MOST);

    assert_int_equal(stay_dest_list(fixture->rig->stores[0]->dest, "index/", &list, NULL), 0);
    for (size_t i = 0; i < list.n; i++)
        assert_int_equal(
            stay_memory_dest_remove(fixture->rig->stores[0]->memory, list.items[i].name), 0);
    open_feed(fixture);
    assert_int_equal(bulk(fixture, NULL), 0);
    assert_int_equal(result_of(fixture).n_problems, FILES - 1); /* one is empty */
    assert_true(is_whole(fixture, 0));
    open_feed(fixture);
    assert_int_equal(pull(fixture, fixture->n - 1, data, 1000), -1);
    assert_int_equal(result_of(fixture).n_problems, 1);
    assert_non_null(strstr(result_of(fixture).problems[0].text, "is in no pack that exists"));
}

/* A tree of one file that claims a byte more than its chunk has. */
static void forge_length(struct fixture *fixture)
{
    struct backstay_entry entry = file_entry("forged", fixture->files->lengths[1] + 1);
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto(stay_snapshot_free) struct stay_snapshot *forged = stay_new(struct stay_snapshot);
    stay_auto_buf struct stay_buf line = {0};
    struct stay_id id;

    stay_digest_of(digest, fixture->files->contents[1], fixture->files->lengths[1], &id);
    stay_manifest_encode(&line, &entry, &id, 1);
    forge_manifest(fixture->rig, 0, &line, forged);
    stay_tree_free(fixture->view->tree);
    assert_ok(stay_tree_load(&fixture->view->tree, fixture->rig->stores[0]->dest, forged, 1,
                             fixture->rig->folder, &fixture->rig->err),
              fixture->rig->err);
    fixture->entries[0] = 0;
    fixture->n = 1;
}

static void a_content_that_is_too_short_is_a_problem_in_both_modes(void **state)
{
    struct fixture *fixture = *state;
    size_t len = fixture->files->lengths[1];
    stay_auto_free char *data = stay_malloc(2 * FILE_MOST);
    stay_auto_str char *expected =
        stay_strf("its chunks have %zu bytes instead of %zu", len, len + 1);

    assert_in_range(len, 1, 5000);
    forge_length(fixture);
    open_feed(fixture);
    assert_int_equal(bulk(fixture, NULL), 0);
    assert_string_equal(problem_of(fixture, "forged"), expected);
    open_feed(fixture);
    assert_int_equal(pull(fixture, 0, data, 1000), -1);
    assert_string_equal(problem_of(fixture, "forged"), expected);
}

static void done_and_problem_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_feed *abi = stay_feed_abi(fixture->feed);

    abi->done(abi, 0, 0);
    abi->done(abi, 1, 0);
    abi->done(abi, 2, 1);
    abi->problem(abi, 0, "cannot %s", "chown");
    abi->problem(abi, fixture->n, "of no entry");
    const struct stay_feed_result result = result_of(fixture);
    assert_int_equal(result.restored, 2);
    assert_int_equal(result.kept, 1);
    assert_int_equal(fixture->rig->progress.entries_done % 100, (FILES + 10 + 3) % 100);
    assert_int_equal(result.n_problems, 2);
    assert_string_equal(result.problems[0].path, "d0");
    assert_string_equal(result.problems[0].text, "cannot chown");
    assert_string_equal(result.problems[1].path, "");
}

static void a_cancelled_restore_stops(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_feed *abi = stay_feed_abi(fixture->feed);
    struct backstay_cursor *cursor = abi->cursor_open(abi);
    stay_auto_free char *data = stay_malloc(2 * FILE_MOST);

    stay_cancel_request(&fixture->rig->cancel, 15);
    assert_int_equal(bulk(fixture, NULL), -1);
    assert_null(abi->entry(abi, cursor, 0));
    assert_int_equal(pull(fixture, fixture->n - 1, data, 1000), -1);
    assert_int_equal(result_of(fixture).n_problems, 0);
    abi->cursor_close(abi, cursor);
    stay_feed_free(NULL);
}

int main(void)
{
#define WITH_FEED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FEED(bulk_mode_delivers_every_file_once),
        WITH_FEED(pull_mode_delivers_the_same),
        WITH_FEED(only_what_is_wanted_is_delivered),
        WITH_FEED(what_a_plugin_cannot_write_is_a_problem_of_that_entry),
        WITH_FEED(a_damaged_frame_costs_the_files_in_it_alone),
        WITH_FEED(a_chunk_that_is_nowhere_is_a_problem_in_both_modes),
        WITH_FEED(a_content_that_is_too_short_is_a_problem_in_both_modes),
        WITH_FEED(done_and_problem_are_counted),
        WITH_FEED(a_cancelled_restore_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
