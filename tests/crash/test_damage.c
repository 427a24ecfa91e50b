/* tests/crash/test_damage.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Damage: every byte of a repository flipped in turn, every object deleted, cut off, grown and
 * swapped in turn. check must name it, and restore must give back, byte for byte, every file that
 * does not need what is damaged, and never a file that is not what it was.
 */
#include "crash/small.h"

#include "support/cmocka.h"

#include <string.h>

typedef STAY_VEC(uint32_t) frame_list;

/* What each file of each snapshot needs, found out before anything is damaged. */
struct needs {
    frame_list *files; /* per file of the snapshot: frames of the index */
    frame_list manifest;
};

struct fixture {
    struct small small;
    struct stay_index *index;
    const struct stay_index_frame *frames;
    size_t n_frames;
    struct needs needs[SMALL_SNAPSHOTS];
    bool *bad; /* per frame of the index: damaged right now */
    char **names;
    size_t n_names;
};

/* AddressSanitizer makes everything several times slower; a part of the bytes must do. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EACH = 29, EACH_RESTORE = 29 * 5, EACH_OTHER_RESTORE = 29 * 50 };
#else
enum { EACH = 1, EACH_RESTORE = 10, EACH_OTHER_RESTORE = 200 };
#endif

/* ---- what needs what */

static void need(frame_list *list, uint32_t frame)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i] == frame)
            return;
    *stay_vec_push(list) = frame;
}

static uint32_t frame_of(const struct fixture *fixture, const struct stay_id *pack, uint32_t number)
{
    int64_t at = stay_index_find_pack(fixture->index, pack);

    for (uint32_t i = 0; i < fixture->n_frames; i++)
        if (fixture->frames[i].pack == at && fixture->frames[i].number == number)
            return i;
    fail_msg("a snapshot names a frame that the index does not know");
    return 0;
}

static void learn_files(struct fixture *fixture, size_t number, const struct stay_tree *tree)
{
    struct stay_memory_source *files = fixture->small.files[number];
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    struct stay_err err = {0};

    assert_int_equal(stay_tree_count(tree), stay_memory_source_count(files));
    fixture->needs[number].files = stay_calloc(stay_tree_count(tree), sizeof(frame_list));
    for (size_t i = 0; i < stay_tree_count(tree); i++) {
        assert_ok(stay_tree_entry(tree, i, &entry, &err), err);
        assert_string_equal(entry.entry.path, stay_memory_source_path(files, i));
        for (size_t k = 0; k < entry.chunks.n; k++) {
            const struct stay_index_chunk *chunk =
                stay_index_find(fixture->index, &entry.chunks.items[k]);
            assert_non_null(chunk);
            need(&fixture->needs[number].files[i], chunk->frame);
        }
    }
}

static void learn(struct fixture *fixture)
{
    struct small *small = &fixture->small;
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;
    struct stay_err err = {0};

    assert_ok(stay_repository_open(&repository, small->dest, &err), err);
    assert_ok(stay_repository_index(repository, NULL, &fixture->index, NULL, &err), err);
    fixture->frames = stay_index_frames(fixture->index, &fixture->n_frames);
    fixture->bad = stay_calloc(fixture->n_frames, sizeof *fixture->bad);
    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++) {
        stay_auto(stay_view_free) struct stay_view *view = NULL;
        assert_ok(stay_view_open(&view, repository, small->ids[i], 1, small->folder, &err), err);
        const struct stay_snapshot *snapshot = view->snapshot;
        const struct stay_snapshot_stream *manifest = &snapshot->streams[STAY_MANIFEST];
        learn_files(fixture, i, view->tree);
        for (size_t k = 0; k < manifest->chunks.n; k++) {
            const struct stay_snapshot_frame *frame =
                &snapshot->stream_frames.items[manifest->chunks.items[k].frame];
            need(&fixture->needs[i].manifest,
                 frame_of(fixture, &snapshot->packs.items[frame->pack].id, frame->number));
        }
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    small_open(&fixture->small);
    small_fill(&fixture->small);
    learn(fixture);
    fixture->names = stay_memory_dest_names(fixture->small.memory, "", &fixture->n_names);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++) {
        for (size_t k = 0; k < stay_memory_source_count(fixture->small.files[i]); k++)
            stay_vec_free(&fixture->needs[i].files[k]);
        free(fixture->needs[i].files);
        stay_vec_free(&fixture->needs[i].manifest);
    }
    for (size_t i = 0; i < fixture->n_names; i++)
        free(fixture->names[i]);
    free(fixture->names);
    free(fixture->bad);
    stay_index_free(fixture->index);
    small_close(&fixture->small);
    free(fixture);
    return 0;
}

/* ---- what is damaged */

static bool any_bad(const struct fixture *fixture, const frame_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (fixture->bad[list->items[i]])
            return true;
    return false;
}

static void all_sound(struct fixture *fixture)
{
    memset(fixture->bad, 0, fixture->n_frames * sizeof *fixture->bad);
}

/* Marks the frames of pack @name of which a byte lies in [@from, @to). */
static void mark_bad(struct fixture *fixture, const char *name, uint64_t from, uint64_t to)
{
    struct stay_id id;

    if (stay_pack_parse_name(&id, name) < 0)
        return;
    int64_t pack = stay_index_find_pack(fixture->index, &id);
    for (size_t i = 0; i < fixture->n_frames; i++) {
        const struct stay_index_frame *frame = &fixture->frames[i];
        if (frame->pack == pack && frame->offset < to && frame->offset + frame->stored > from)
            fixture->bad[i] = true;
    }
}

static struct stay_buf content_of(struct fixture *fixture, const char *name)
{
    struct stay_buf content = {0};

    assert_int_equal(stay_memory_dest_read(fixture->small.memory, name, &content), 0);
    return content;
}

static void put(struct fixture *fixture, const char *name, const void *data, size_t len)
{
    stay_memory_dest_write(fixture->small.memory, name, data, len);
}

/* A restore reads it. */
static bool may_matter(const char *name)
{
    return stay_str_starts(name, "packs/") || stay_str_starts(name, "index/") ||
           stay_str_starts(name, "snapshots/") || strcmp(name, "backstay.json") == 0;
}

static bool is_snapshot(const char *name)
{
    return stay_str_starts(name, "snapshots/");
}

/* ---- what must be noticed */

/* check says that @name is damaged, or that the repository cannot be opened because of it. */
static void assert_noticed(struct fixture *fixture, const char *name, const char *when)
{
    struct stay_check_result result;
    struct stay_err err = {0};
    bool named = false;

    if (small_check(fixture->small.dest, fixture->small.folder, &result, &err) < 0) {
        if (strcmp(name, "backstay.json") != 0 || strstr(err.text, name) == NULL)
            fail_msg("%s: check of %s gave up: %s", when, name, err.text);
        named = true;
    }
    for (size_t i = 0; i < result.findings.n; i++) {
        const struct stay_finding *finding = &result.findings.items[i];
        if (finding->kind != STAY_FINDING_NOTE &&
            (strcmp(finding->object, name) == 0 || strstr(finding->text, name)))
            named = true;
    }
    if (!named)
        fail_msg("%s: check does not name %s (%zu findings, the first: %s)", when, name,
                 result.findings.n, result.findings.n ? result.findings.items[0].text : "none");
    stay_check_result_free(&result);
}

/* At least something is found to be damaged. */
static void assert_damaged(struct fixture *fixture, const char *name, const char *when)
{
    struct stay_check_result result;
    struct stay_err err = {0};

    if (small_check(fixture->small.dest, fixture->small.folder, &result, &err) == 0 &&
        result.n_damage == 0)
        fail_msg("%s: check finds no damage though %s is damaged", when, name);
    stay_check_result_free(&result);
}

static bool is_called_lost(const struct stay_check_result *checked, const char *snapshot,
                           const char *path)
{
    for (size_t i = 0; i < checked->findings.n; i++) {
        const struct stay_finding *finding = &checked->findings.items[i];
        if (finding->kind == STAY_FINDING_LOSS && strcmp(finding->object, snapshot) == 0 &&
            strcmp(finding->path, path) == 0)
            return true;
    }
    return false;
}

/* What check says of each file and what a restore does with it must agree. */
static void assert_losses(struct fixture *fixture, size_t number, const char *when)
{
    struct small *small = &fixture->small;
    struct stay_memory_source *files = small->files[number];
    struct stay_check_result checked;
    struct stay_err err = {0};

    int rc = small_check(small->dest, small->folder, &checked, &err);
    for (size_t i = 0; rc == 0 && i < stay_memory_source_count(files); i++) {
        const char *path = stay_memory_source_path(files, i);
        bool lost = is_called_lost(&checked, small->names[number], path);
        bool restored = stay_memory_source_restored(files, i) == STAY_MEMORY_SAME;
        if (lost && !any_bad(fixture, &fixture->needs[number].files[i]))
            fail_msg("%s: %s needs nothing damaged, and check calls it lost", when, path);
        if (!lost && !restored && !any_bad(fixture, &fixture->needs[number].manifest))
            fail_msg("%s: %s is lost, and check does not say so", when, path);
    }
    stay_check_result_free(&checked);
}

static void assert_file(const struct fixture *fixture, size_t number, size_t file,
                        const struct small_restored *restored, const char *when)
{
    struct stay_memory_source *files = fixture->small.files[number];
    const struct needs *needs = &fixture->needs[number];
    const char *path = stay_memory_source_path(files, file);
    enum stay_memory_restored outcome = stay_memory_source_restored(files, file);

    if (outcome == STAY_MEMORY_OTHER)
        fail_msg("%s: %s of snapshot %zu came back as something else", when, path, number);
    if (outcome == STAY_MEMORY_SAME)
        return;
    if (!any_bad(fixture, &needs->files[file]) && !any_bad(fixture, &needs->manifest))
        fail_msg("%s: %s of snapshot %zu needs nothing damaged and was not restored: %s", when,
                 path, number, restored->problems);
    if (restored->missing_bytes == 0 && strstr(restored->problems, path) == NULL)
        fail_msg("%s: %s of snapshot %zu was not restored, and nothing says so", when, path,
                 number);
}

/* @lost: the one snapshot that may be unreadable as a whole; NULL: none. "": all. */
static void assert_restores_rest(struct fixture *fixture, const char *lost, const char *when)
{
    struct small *small = &fixture->small;

    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++) {
        struct small_restored restored;
        struct stay_err err = {0};
        int rc = small_restore(small->dest, small->ids[i], small->files[i], small->folder,
                               &restored, &err);
        bool may_be_lost = lost && (lost[0] == '\0' || strcmp(lost, small->names[i]) == 0);
        if (rc < 0 && !may_be_lost)
            fail_msg("%s: restore of snapshot %zu: %s", when, i, err.text);
        if (rc < 0 && err.text[0] == '\0')
            fail_msg("%s: restore of snapshot %zu fails without a word", when, i);
        for (size_t k = 0; rc == 0 && k < stay_memory_source_count(small->files[i]); k++)
            assert_file(fixture, i, k, &restored, when);
        if (rc == 0 && stay_memory_source_strangers(small->files[i]))
            fail_msg("%s: restore of snapshot %zu: files that never were", when, i);
        if (rc == 0 && restored.n_problems > 0)
            assert_losses(fixture, i, when);
        small_restored_free(&restored);
    }
}

/* ---- the tests */

static void an_undamaged_repository_is_clean_and_restores(void **state)
{
    struct fixture *fixture = *state;
    struct small *small = &fixture->small;

    all_sound(fixture);
    assert_true(fixture->n_frames >= 2 * SMALL_SNAPSHOTS);
    small_assert_clean(small->dest, small->folder, "at first");
    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++)
        small_assert_restores(small->dest, small->ids[i], small->files[i], small->folder,
                              "at first");
}

static const char *lost_with(const char *name)
{
    if (strcmp(name, "backstay.json") == 0)
        return "";
    return is_snapshot(name) ? name : NULL;
}

static void every_flipped_byte_is_named_by_check_and_spares_the_rest(void **state)
{
    struct fixture *fixture = *state;
    size_t turn = 0;

    for (size_t i = 0; i < fixture->n_names; i++) {
        const char *name = fixture->names[i];
        stay_auto_buf struct stay_buf content = content_of(fixture, name);
        for (size_t at = 0; at < content.len; at++, turn++) {
            stay_auto_str char *when = stay_strf("byte %zu of %s flipped", at, name);
            if (turn % EACH)
                continue;
            content.data[at] ^= (char)(1 << at % 8);
            put(fixture, name, content.data, content.len);
            assert_noticed(fixture, name, when);
            if (turn % (may_matter(name) ? EACH_RESTORE : EACH_OTHER_RESTORE) == 0) {
                all_sound(fixture);
                mark_bad(fixture, name, at, at + 1);
                assert_restores_rest(fixture, lost_with(name), when);
            }
            content.data[at] ^= (char)(1 << at % 8);
        }
        put(fixture, name, content.data, content.len);
    }
    assert_true(turn > 20000);
}

static void every_deleted_object_is_noticed_and_spares_the_rest(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->n_names; i++) {
        const char *name = fixture->names[i];
        stay_auto_buf struct stay_buf content = content_of(fixture, name);
        stay_auto_str char *when = stay_strf("%s deleted", name);
        all_sound(fixture);
        mark_bad(fixture, name, 0, content.len);
        assert_int_equal(stay_memory_dest_remove(fixture->small.memory, name), 0);
        if (stay_str_starts(name, "index/") || stay_str_starts(name, "records/"))
            assert_damaged(fixture, name, when); /* nothing else knows their names */
        else
            assert_noticed(fixture, name, when);
        assert_restores_rest(fixture, lost_with(name), when);
        put(fixture, name, content.data, content.len);
    }
}

static void every_object_of_another_length_is_named_and_spares_the_rest(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->n_names; i++) {
        const char *name = fixture->names[i];
        stay_auto_buf struct stay_buf content = content_of(fixture, name);
        const size_t lengths[] = {
            0, 1, content.len / 2, content.len - 1, content.len - 512, content.len + 1};
        (void)stay_buf_reserve(&content, 1);
        content.data[content.len] = '\n';
        for (size_t k = 0; k < STAY_COUNT(lengths); k++) {
            stay_auto_str char *when = stay_strf("%s with %zu bytes", name, lengths[k]);
            if (lengths[k] > content.len + 1)
                continue; /* shorter than 512 */
            all_sound(fixture);
            mark_bad(fixture, name, lengths[k], content.len);
            put(fixture, name, content.data, lengths[k]);
            assert_noticed(fixture, name, when);
            assert_restores_rest(fixture, lost_with(name), when);
        }
        put(fixture, name, content.data, content.len);
    }
}

static size_t kind_len(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash ? (size_t)(slash - name) + 1 : 0;
}

static void two_swapped_objects_of_a_kind_are_both_named(void **state)
{
    struct fixture *fixture = *state;
    size_t swaps = 0;

    for (size_t i = 0; i < fixture->n_names; i++) {
        for (size_t k = i + 1; k < fixture->n_names; k++) {
            const char *a = fixture->names[i];
            const char *b = fixture->names[k];
            if (kind_len(a) != kind_len(b) || strncmp(a, b, kind_len(a)) != 0 ||
                strcmp(a, "backstay.json") == 0 || strcmp(b, "backstay.json") == 0)
                continue;
            stay_auto_buf struct stay_buf in_a = content_of(fixture, a);
            stay_auto_buf struct stay_buf in_b = content_of(fixture, b);
            stay_auto_str char *when = stay_strf("%s and %s swapped", a, b);
            all_sound(fixture);
            mark_bad(fixture, a, 0, in_a.len);
            mark_bad(fixture, b, 0, in_b.len);
            put(fixture, a, in_b.data, in_b.len);
            put(fixture, b, in_a.data, in_a.len);
            assert_noticed(fixture, a, when);
            assert_noticed(fixture, b, when);
            assert_restores_rest(fixture, is_snapshot(a) ? "" : NULL, when);
            put(fixture, a, in_a.data, in_a.len);
            put(fixture, b, in_b.data, in_b.len);
            swaps++;
        }
    }
    assert_true(swaps >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undamaged_repository_is_clean_and_restores),
        cmocka_unit_test(every_deleted_object_is_noticed_and_spares_the_rest),
        cmocka_unit_test(every_object_of_another_length_is_named_and_spares_the_rest),
        cmocka_unit_test(two_swapped_objects_of_a_kind_are_both_named),
        cmocka_unit_test(every_flipped_byte_is_named_by_check_and_spares_the_rest),
    };

    small_quiet();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
