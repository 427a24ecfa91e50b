/* tests/unit/engine/test_stats.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * stats: the figures of a repository whose content is known.
 */
#include "engine/stats.h"

#include "unit/engine/files.h"

static int setup(void **state)
{
    *state = new_rig(1);
    return 0;
}

static int teardown(void **state)
{
    free_rig(*state);
    return 0;
}

static struct stay_stats look(struct rig *rig)
{
    struct stay_stats stats;

    assert_ok(stay_stats(rig->repositories[0], NULL, &stats, &rig->err), rig->err);
    return stats;
}

static void an_empty_repository_has_its_texts(void **state)
{
    const struct stay_stats stats = look(*state);

    assert_int_equal(stats.snapshots, 0);
    assert_int_equal(stats.raw_bytes, 0);
    assert_int_equal(stats.stored_bytes, 0);
    assert_int_equal(stats.chunks, 0);
    assert_int_equal(stats.packs, 0);
    assert_true(stats.other_bytes > 1000);
}

static void what_is_stored_twice_is_counted_once(void **state)
{
    struct rig *rig = *state;
    struct files *files = make_files(6);
    struct stay_backup_result result;
    uint64_t raw = 0;
    uint64_t copies = 0;

    for (size_t i = 0; i < FILES; i++) {
        raw += files->lengths[i];
        copies += i % 5 == 4 ? files->lengths[i] : 0;
    }
    assert_ok(rig_backup(rig, &files->script, &result), rig->err);
    assert_ok(rig_backup(rig, &files->script, &result), rig->err);
    const struct stay_stats stats = look(rig);
    uint64_t manifest = stats.unique_bytes - (raw - copies);
    assert_int_equal(stats.snapshots, 2);
    assert_int_equal(stats.raw_bytes, 2 * raw);
    assert_in_range(manifest, FILES * 100, FILES * 1000); /* the rest is its text */
    assert_int_equal(stats.stored_bytes, rig_pack_bytes(rig, 0));
    assert_int_equal(stats.packs, 1);
    assert_true(stats.frames >= 3);
    assert_true(stats.chunks > FILES / 2);
    assert_int_equal(stats.other_bytes + stats.stored_bytes,
                     stay_memory_dest_bytes(rig->stores[0]->memory));
    free_files(files);
}

static void a_damaged_snapshot_ends_it(void **state)
{
    struct rig *rig = *state;
    struct stay_stats stats;
    static const char name[] = "snapshots/media/20261122T023000Z-0a1b2c3d.json";

    stay_memory_dest_write(rig->stores[0]->memory, name, "x", 1);
    assert_int_equal(stay_stats(rig->repositories[0], NULL, &stats, &rig->err), -1);
    assert_error(rig->err, STAY_ERR_CORRUPT,
                 "snapshots/media/20261122T023000Z-0a1b2c3d.json is damaged: its content does not "
                 "match its checksum");
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(an_empty_repository_has_its_texts),
        WITH_RIG(what_is_stored_twice_is_counted_once),
        WITH_RIG(a_damaged_snapshot_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
