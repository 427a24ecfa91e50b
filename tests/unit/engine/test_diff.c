/* tests/unit/engine/test_diff.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * diff: what was added, removed or changed between two snapshots, in the order of paths.
 */
#include "engine/diff.h"

#include "unit/engine/rig.h"

struct fixture {
    struct rig *rig;
    struct stay_view *before;
    struct stay_view *after;
    struct stay_buf seen; /* "M path", one a line */
};

static int send_before(struct backstay_sink *sink, void *ctx)
{
    (void)ctx;
    return send_folder(sink, "") < 0 || send_folder(sink, "becomes-file") < 0 ||
                   send_file(sink, "changes", "before", 6) < 0 ||
                   send_file(sink, "goes", "x", 1) < 0 || send_file(sink, "mode", "m", 1) < 0 ||
                   send_file(sink, "stays", "s", 1) < 0 || send_file(sink, "z", "z", 1) < 0
               ? -1
               : 0;
}

static int send_after(struct backstay_sink *sink, void *ctx)
{
    struct backstay_entry mode = file_entry("mode", 1);

    (void)ctx;
    mode.mode = 0600;
    return send_folder(sink, "") < 0 || send_file(sink, "a-new", "n", 1) < 0 ||
                   send_file(sink, "becomes-file", "f", 1) < 0 ||
                   send_file(sink, "changes", "after!", 6) < 0 ||
                   sink->whole(sink, &mode, "m", 1, "t", 1) < 0 ||
                   send_file(sink, "stays", "s", 1) < 0 || send_file(sink, "z", "z", 1) < 0 ||
                   send_file(sink, "zz-new", "", 0) < 0
               ? -1
               : 0;
}

static struct stay_view *back_up(struct rig *rig, int (*send)(struct backstay_sink *, void *))
{
    struct script script = {.backup = send};
    struct stay_backup_result result;

    assert_ok(rig_backup(rig, &script, &result), rig->err);
    return rig_view(rig, 0);
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    fixture->rig = new_rig(1);
    fixture->before = back_up(fixture->rig, send_before);
    fixture->after = back_up(fixture->rig, send_after);
    stay_buf_str(&fixture->seen, "");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_view_free(fixture->before);
    stay_view_free(fixture->after);
    stay_buf_free(&fixture->seen);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

static int note(void *ctx, enum stay_change change, const struct stay_manifest_entry *before,
                const struct stay_manifest_entry *after)
{
    struct fixture *fixture = ctx;
    const struct stay_manifest_entry *entry = after ? after : before;

    assert_int_equal(before == NULL, change == STAY_CHANGE_ADDED);
    assert_int_equal(after == NULL, change == STAY_CHANGE_REMOVED);
    if (before && after)
        assert_string_equal(before->entry.path, after->entry.path);
    stay_buf_printf(&fixture->seen, "%c %s\n", stay_change_letter(change), entry->entry.path);
    return strcmp(entry->entry.path, "goes") == 0 ? 7 : 0;
}

static int note_all(void *ctx, enum stay_change change, const struct stay_manifest_entry *before,
                    const struct stay_manifest_entry *after)
{
    (void)note(ctx, change, before, after);
    return 0;
}

static void each_difference_has_its_letter(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(stay_diff(fixture->before->tree, fixture->after->tree, note_all, fixture,
                        &fixture->rig->err),
              fixture->rig->err);
    assert_string_equal(fixture->seen.data,
                        "+ a-new\nT becomes-file\nM changes\n- goes\nU mode\n+ zz-new\n");
}

static void the_other_way_round_added_is_removed(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(stay_diff(fixture->after->tree, fixture->before->tree, note_all, fixture,
                        &fixture->rig->err),
              fixture->rig->err);
    assert_string_equal(fixture->seen.data,
                        "- a-new\nT becomes-file\nM changes\n+ goes\nU mode\n- zz-new\n");
}

static void a_snapshot_is_like_itself(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(stay_diff(fixture->after->tree, fixture->after->tree, note_all, fixture,
                        &fixture->rig->err),
              fixture->rig->err);
    assert_string_equal(fixture->seen.data, "");
}

static void whoever_has_seen_enough_ends_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(
        stay_diff(fixture->before->tree, fixture->after->tree, note, fixture, &fixture->rig->err),
        7);
    assert_string_equal(fixture->seen.data, "+ a-new\nT becomes-file\nM changes\n- goes\n");
}

static void changes_have_names(void **state)
{
    static const char *const names[] = {"added", "removed", "type", "content", "metadata"};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        assert_string_equal(stay_change_name((enum stay_change)i), names[i]);
}

int main(void)
{
#define WITH_SNAPSHOTS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SNAPSHOTS(each_difference_has_its_letter),
        WITH_SNAPSHOTS(the_other_way_round_added_is_removed),
        WITH_SNAPSHOTS(a_snapshot_is_like_itself),
        WITH_SNAPSHOTS(whoever_has_seen_enough_ends_it),
        cmocka_unit_test(changes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
