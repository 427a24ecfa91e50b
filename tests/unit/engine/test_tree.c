/* tests/unit/engine/test_tree.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * tree and text: a manifest read back, also a damaged one, and what patterns mean.
 */
#include "engine/tree.h"

#include "unit/engine/files.h"

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_view *view;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_backup_result result;

    fixture->rig = new_rig(1);
    fixture->files = make_files(1);
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &result), fixture->rig->err);
    fixture->view = rig_view(fixture->rig, 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_view_free(fixture->view);
    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

static void all_entries_are_there_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_tree *tree = fixture->view->tree;
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    stay_auto_str char *before = stay_strdup("");
    size_t bytes;
    size_t lines;
    size_t files = 0;

    assert_int_equal(stay_tree_count(tree), FILES + 10);
    for (size_t i = 0; i < stay_tree_count(tree); i++) {
        assert_ok(stay_tree_entry(tree, i, &entry, &fixture->rig->err), fixture->rig->err);
        assert_true(strcmp(before, entry.entry.path) < 0);
        free(before);
        before = stay_strdup(entry.entry.path);
        int number = files_find(fixture->files, entry.entry.path);
        assert_int_equal(entry.entry.type, number < 0 ? BACKSTAY_DIR : BACKSTAY_FILE);
        if (number >= 0)
            assert_int_equal(entry.entry.bytes, fixture->files->lengths[number]);
        files += number >= 0;
    }
    assert_int_equal(files, FILES);
    assert_null(stay_tree_damage(tree, &bytes, &lines));
    assert_int_equal(bytes, 0);
    assert_int_equal(lines, 0);
    stay_tree_free(NULL);
}

static void select_one(const struct fixture *fixture, const char *pattern, size_t expected)
{
    const struct stay_patterns patterns = {&pattern, 1};
    stay_auto_free uint32_t *chosen = NULL;
    struct stay_err err = {0};
    size_t n;

    assert_ok(stay_tree_select(fixture->view->tree, &patterns, &chosen, &n, &err), err);
    if (n != expected)
        fail_msg("\"%s\" chooses %zu entries instead of %zu", pattern, n, expected);
    for (size_t i = 1; i < n; i++)
        assert_true(chosen[i - 1] < chosen[i]);
}

static void patterns_choose_entries(void **state)
{
    const struct fixture *fixture = *state;
    stay_auto_free uint32_t *chosen = NULL;
    struct stay_err err = {0};
    size_t n;

    assert_ok(stay_tree_select(fixture->view->tree, NULL, &chosen, &n, &err), err);
    assert_int_equal(n, FILES + 10);
    select_one(fixture, "d3", 1 + FILES / 10);
    select_one(fixture, "/d3/", 1 + FILES / 10);
    select_one(fixture, "d3/f03", 1);
    select_one(fixture, "f03", 1);
    select_one(fixture, "f0?", 10);
    select_one(fixture, "d?/f0*", 10);
    select_one(fixture, "*", FILES + 10);
    select_one(fixture, "**/f1*", 10);
    select_one(fixture, "none", 0);
}

static void patterns_mean_what_they_say(void **state)
{
    static const struct {
        const char *pattern;
        const char *path;
        bool match;
    } cases[] = {
        {"a", "a", true},
        {"a", "a/b", true},
        {"a", "ab", false},
        {"a", "b/a", true},
        {"a/b", "a/b/c", true},
        {"a/b", "x/a/b", false},
        {"*.jpg", "x/y.jpg", true},
        {"*.jpg", "y.jpg/z", true},
        {"*.jpg", "y.jpeg", false},
        {"a/*", "a/b", true},
        {"a/*", "a/b/c", true},
        {"a/*/c", "a/b/c", true},
        {"a/*/c", "a/b/d/c", false},
        {"a/**/c", "a/b/d/c", true},
        {"**/c", "a/b/c", true},
        {"[ab]", "a", true},
        {"[ab]", "c", false},
        {"/a", "a", true},
        {"/*.jpg", "x/y.jpg", false},
        {"a?", "a/", false},
        {"", "anything", true},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        const struct stay_patterns patterns = {&cases[i].pattern, 1};
        if (stay_patterns_match(&patterns, cases[i].path) != cases[i].match)
            fail_msg("\"%s\" and %s", cases[i].pattern, cases[i].path);
    }
    assert_true(stay_patterns_match(NULL, "a"));
    const char *const two[] = {"b", "a"};
    assert_true(stay_patterns_match(&(struct stay_patterns){two, 2}, "a"));
}

static void streams_without_text_are_empty(void **state)
{
    struct fixture *fixture = *state;
    struct stay_text text = {0};

    assert_ok(stay_text_load(&text, fixture->rig->stores[0]->dest, fixture->view->snapshot,
                             STAY_FACTS, 2, fixture->rig->folder, &fixture->rig->err),
              fixture->rig->err);
    assert_int_equal(text.len, 0);
    assert_int_equal(text.missing_bytes, 0);
    stay_text_free(&text);
    stay_text_free(&text);
}

static void of_a_damaged_manifest_the_rest_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct stay_snapshot *snapshot = fixture->view->snapshot;
    struct stay_snapshot_stream *stream = &snapshot->streams[STAY_MANIFEST];
    stay_auto(stay_tree_free) struct stay_tree *tree = NULL;
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    size_t bytes;
    size_t lines;

    /* As if it lay in two chunks of which the first is not what it should be. */
    assert_int_equal(stream->chunks.n, 1);
    const struct stay_snapshot_chunk whole = stream->chunks.items[0];
    uint32_t half = whole.bytes / 2;
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    size_t len;
    const char *text = stay_tree_line(fixture->view->tree, 0, &len);
    stream->chunks.items[0].bytes = half;
    struct stay_snapshot_chunk *second = stay_vec_push(&stream->chunks);
    *second = whole;
    second->bytes = whole.bytes - half;
    second->offset += half;
    stay_digest_of(digest, text + half, second->bytes, &second->id);
    assert_ok(stay_tree_load(&tree, fixture->rig->stores[0]->dest, snapshot, 2,
                             fixture->rig->folder, &fixture->rig->err),
              fixture->rig->err);
    const struct stay_err *why = stay_tree_damage(tree, &bytes, &lines);
    assert_int_equal(bytes, half);
    assert_in_range(lines, 0, 1);
    assert_int_equal(why->kind, STAY_ERR_CORRUPT);
    assert_true(stay_str_starts(why->text, "chunk "));
    assert_in_range(stay_tree_count(tree), FILES / 3, FILES);
    for (size_t i = 0; i < stay_tree_count(tree); i++)
        assert_ok(stay_tree_entry(tree, i, &entry, &fixture->rig->err), fixture->rig->err);
}

enum { FACTS = 66, FACT_BYTES = 1 << 20 };

static int send_large_facts(struct backstay_sink *sink, void *ctx)
{
    stay_auto_str char *value = stay_memdup(ctx, FACT_BYTES);

    for (int i = 0; i < FACTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%02d", i);
        if (sink->fact(sink, name, value) < 0)
            return -1;
    }
    return 0;
}

/* More than is held in memory: the text lies in a file that nobody sees. */
static void a_text_of_any_size_can_be_read(void **state)
{
    struct rig *rig = new_rig(1);
    stay_auto_free char *value = stay_malloc(FACT_BYTES);
    struct script script = {.backup = send_large_facts, .ctx = value};
    struct stay_backup_result result;
    struct stay_text text = {0};

    (void)state;
    memset(value, 'v', FACT_BYTES);
    assert_ok(rig_backup(rig, &script, &result), rig->err);
    struct stay_view *view = rig_view(rig, 0);
    assert_ok(stay_text_load(&text, rig->stores[0]->dest, view->snapshot, STAY_FACTS, 2,
                             rig->folder, &rig->err),
              rig->err);
    size_t line = strlen("{'name':'00','value':''}\n") + FACT_BYTES;
    assert_int_equal(text.len, FACTS * line);
    assert_int_equal(text.missing_bytes, 0);
    for (size_t i = 0; i < FACTS; i++) {
        stay_auto_str char *head = stay_strf("{\"name\":\"%02zu\",\"value\":\"", i);
        assert_memory_equal(text.data + i * line, head, strlen(head));
        assert_memory_equal(text.data + i * line + strlen(head), value, FACT_BYTES);
    }
    stay_text_free(&text);
    assert_int_equal(stay_text_load(&text, rig->stores[0]->dest, view->snapshot, STAY_FACTS, 2,
                                    "/nonexistent", &rig->err),
                     -1);
    assert_non_null(strstr(rig->err.text, "/nonexistent"));
    stay_view_free(view);
    free_rig(rig);
}

static void a_destination_that_cannot_be_read_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_tree_free) struct stay_tree *tree = NULL;
    size_t bytes;
    size_t lines;

    rig_fail(fixture->rig, 0, STAY_DEST_OP_GET, "packs/", 1);
    assert_ok(stay_tree_load(&tree, fixture->rig->stores[0]->dest, fixture->view->snapshot, 1,
                             fixture->rig->folder, &fixture->rig->err),
              fixture->rig->err);
    assert_non_null(stay_tree_damage(tree, &bytes, &lines));
    assert_int_equal(bytes, fixture->view->snapshot->streams[STAY_MANIFEST].bytes);
    assert_int_equal(stay_tree_count(tree), 0);
}

int main(void)
{
#define WITH_VIEW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_VIEW(all_entries_are_there_in_their_order),
        WITH_VIEW(patterns_choose_entries),
        cmocka_unit_test(patterns_mean_what_they_say),
        WITH_VIEW(streams_without_text_are_empty),
        WITH_VIEW(of_a_damaged_manifest_the_rest_is_read),
        cmocka_unit_test(a_text_of_any_size_can_be_read),
        WITH_VIEW(a_destination_that_cannot_be_read_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
