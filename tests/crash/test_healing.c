/* tests/crash/test_healing.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * What mends itself: a backup stores again what it finds missing, and a restore reads a chunk that
 * is stored twice from where it is sound.
 */
#include "crash/small.h"

#include "support/cmocka.h"

#include <string.h>

enum { DELETED, CUT_OFF, DELETED_WITH_CACHE, HEALS };

static void heal(struct small *small, const char *name, int how, const char *when)
{
    struct stay_memory_source *files = small->files[SMALL_SNAPSHOTS - 1];
    stay_auto(stay_memory_dest_free) struct stay_memory_dest *memory = small_copy(small->memory);
    stay_auto(stay_dest_free) struct stay_dest *dest =
        stay_dest_wrap("memory", stay_memory_dest_ops(), memory, NULL);
    stay_auto_str char *label = stay_strf("heal-%.6s-%d", strrchr(name, '/') + 1, how);
    stay_auto_str char *state = small_state(small, label);
    struct stay_backup_result result;
    struct stay_err err = {0};

    if (how == DELETED_WITH_CACHE)
        assert_ok(small_backup(dest, files, state, &result, &err), err);
    if (how == CUT_OFF)
        stay_memory_dest_write(memory, name, "short", 5);
    else
        assert_int_equal(stay_memory_dest_remove(memory, name), 0);
    if (small_backup(dest, files, state, &result, &err) < 0)
        fail_msg("%s: %s", when, err.text);
    small_assert_restores(dest, result.id, files, small->folder, when);
}

/* What a backup can know to be missing is stored again: its own snapshot is whole. */
static void the_next_backup_stores_again_what_is_missing(void **state)
{
    static const char *const hows[HEALS] = {"deleted", "cut off", "deleted behind a cache"};
    struct small small;
    size_t n;
    size_t healed = 0;

    (void)state;
    small_open(&small);
    small_fill(&small);
    char **names = stay_memory_dest_names(small.memory, "", &n);
    for (size_t i = 0; i < n; i++) {
        bool data = stay_str_starts(names[i], "packs/") || stay_str_starts(names[i], "index/");
        for (int how = 0; data && how < HEALS; how++, healed++) {
            stay_auto_str char *when = stay_strf("%s %s, then backed up", names[i], hows[how]);
            heal(&small, names[i], how, when);
        }
        free(names[i]);
    }
    assert_true(healed >= 2 * SMALL_SNAPSHOTS * HEALS);
    free(names);
    small_close(&small);
}

/* The same files make the same packs, under the same names: these must count as there again. */
static void a_first_backup_can_be_made_again_after_its_pack_was_lost(void **state)
{
    struct small small;
    struct stay_backup_result result;
    struct stay_err err = {0};
    size_t n;

    (void)state;
    small_open(&small);
    stay_auto_str char *before = small_state(&small, "before");
    stay_auto_str char *after = small_state(&small, "after");
    small.files[0] = small_files(&small, 0);
    small.n_snapshots = 1;
    assert_ok(small_backup(small.dest, small.files[0], before, &result, &err), err);
    char **names = stay_memory_dest_names(small.memory, "packs/", &n);
    assert_int_equal(n, 1);
    assert_int_equal(stay_memory_dest_remove(small.memory, names[0]), 0);
    assert_ok(small_backup(small.dest, small.files[0], after, &result, &err), err);
    assert_int_equal(stay_memory_dest_read(small.memory, names[0], NULL), 0);
    small_assert_clean(small.dest, small.folder, "made again");
    small_assert_restores(small.dest, result.id, small.files[0], small.folder, "made again");
    free(names[0]);
    free(names);
    small_close(&small);
}

static void merge(struct stay_memory_dest *into, struct stay_memory_dest *from)
{
    size_t n;
    char **names = stay_memory_dest_names(from, "", &n);

    for (size_t i = 0; i < n; i++) {
        stay_auto_buf struct stay_buf content = {0};
        assert_int_equal(stay_memory_dest_read(from, names[i], &content), 0);
        stay_memory_dest_write(into, names[i], content.data, content.len);
        free(names[i]);
    }
    free(names);
}

/* Two machines back up nearly the same files at the same moment: each stores what is new. */
static void make_twice(struct small *small)
{
    stay_auto(stay_memory_dest_free) struct stay_memory_dest *other = NULL;
    stay_auto(stay_dest_free) struct stay_dest *dest = NULL;
    struct stay_backup_result result;
    struct stay_err err = {0};

    small_open(small);
    other = small_copy(small->memory);
    dest = stay_dest_wrap("other", stay_memory_dest_ops(), other, NULL);
    stay_auto_str char *first = small_state(small, "first");
    stay_auto_str char *second = small_state(small, "second");
    small->files[0] = small_files(small, 0);
    small->files[1] = small_files(small, 1);
    small->n_snapshots = 2;
    assert_ok(small_backup(small->dest, small->files[0], first, &result, &err), err);
    memcpy(small->ids[0], result.id, sizeof small->ids[0]);
    memcpy(small->names[0], result.copies[0].snapshot, sizeof small->names[0]);
    assert_ok(small_backup(dest, small->files[1], second, &result, &err), err);
    memcpy(small->ids[1], result.id, sizeof small->ids[1]);
    memcpy(small->names[1], result.copies[0].snapshot, sizeof small->names[1]);
    merge(small->memory, other);
}

static bool has_content(const struct stay_memory_source *files, const struct stay_buf *content)
{
    for (size_t i = 0; i < stay_memory_source_count(files); i++) {
        const struct stay_buf *other = stay_memory_source_content(files, i);
        if (other->len == content->len &&
            (other->len == 0 || memcmp(other->data, content->data, other->len) == 0))
            return true;
    }
    return false;
}

/* Restores snapshot @number while a data frame in the pack of snapshot @damaged is damaged. */
static void restore_twice(struct small *small, size_t number, size_t damaged, const char *when)
{
    struct stay_memory_source *files = small->files[number];
    struct stay_memory_source *others = small->files[1 - number];
    struct small_restored restored;
    struct stay_err err = {0};

    assert_ok(small_restore(small->dest, small->ids[number], files, small->folder, &restored, &err),
              err);
    for (size_t i = 0; i < stay_memory_source_count(files); i++) {
        enum stay_memory_restored outcome = stay_memory_source_restored(files, i);
        bool elsewhere =
            number != damaged || has_content(others, stay_memory_source_content(files, i));
        if (outcome == STAY_MEMORY_OTHER || (outcome == STAY_MEMORY_NOTHING && elsewhere))
            fail_msg("%s: %s of snapshot %zu did not come back: %s", when,
                     stay_memory_source_path(files, i), number, restored.problems);
    }
    small_restored_free(&restored);
}

static bool is_stream_frame(const struct stay_snapshot *snapshot, uint32_t number)
{
    for (size_t i = 0; i < snapshot->stream_frames.n; i++)
        if (snapshot->stream_frames.items[i].number == number)
            return true;
    return false;
}

/* Damages each data frame of the one pack of snapshot @number in turn. @return how many. */
static size_t damage_frames(struct small *small, const struct stay_snapshot *snapshot,
                            size_t number)
{
    char name[STAY_PACK_NAME_MAX];
    stay_auto_buf struct stay_buf data = {0};
    struct stay_pack pack = {0};
    struct stay_err err = {0};
    size_t n = 0;

    assert_int_equal(snapshot->packs.n, 1);
    (void)stay_pack_name(name, &snapshot->packs.items[0].id);
    assert_int_equal(stay_memory_dest_read(small->memory, name, &data), 0);
    assert_ok(stay_pack_parse(&pack, data.data, data.len, &err), err);
    for (uint32_t i = 0; i < pack.frames.n; i++) {
        stay_auto_str char *when = stay_strf("frame %u of %s damaged", i, name);
        size_t at = pack.frames.items[i].offset + pack.frames.items[i].stored / 2;
        if (is_stream_frame(snapshot, i))
            continue;
        data.data[at] ^= 1;
        stay_memory_dest_write(small->memory, name, data.data, data.len);
        restore_twice(small, 0, number, when);
        restore_twice(small, 1, number, when);
        data.data[at] ^= 1;
        n++;
    }
    stay_memory_dest_write(small->memory, name, data.data, data.len);
    stay_pack_free(&pack);
    return n;
}

static void what_is_stored_twice_is_read_from_where_it_is_sound(void **state)
{
    struct small small;
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;
    struct stay_err err = {0};
    size_t frames = 0;

    (void)state;
    make_twice(&small);
    small_assert_clean(small.dest, small.folder, "stored twice");
    assert_ok(stay_repository_open(&repository, small.dest, &err), err);
    for (size_t i = 0; i < 2; i++) {
        stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = NULL;
        assert_ok(stay_repository_snapshot(repository, small.names[i], &snapshot, &err), err);
        frames += damage_frames(&small, snapshot, i);
    }
    assert_true(frames >= 3);
    small_close(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_backup_stores_again_what_is_missing),
        cmocka_unit_test(a_first_backup_can_be_made_again_after_its_pack_was_lost),
        cmocka_unit_test(what_is_stored_twice_is_read_from_where_it_is_sound),
    };

    small_quiet();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
