/* tests/unit/engine/test_lines.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * lines: facts and notes come back byte by byte; a line that is not what it must be is left out
 * and said to be damaged.
 */
#include "engine/lines.h"

#include "unit/engine/files.h"
#include "unit/engine/forge.h"

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_view *view;
    struct stay_lines lines;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_backup_result result;

    fixture->rig = new_rig(1);
    fixture->files = make_files(4);
    fixture->files->links_without_file = 1;
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &result), fixture->rig->err);
    fixture->view = rig_view(fixture->rig, 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_lines_free(&fixture->lines);
    stay_view_free(fixture->view);
    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

static void load(struct fixture *fixture, enum stay_snapshot_streams which)
{
    stay_lines_free(&fixture->lines);
    assert_ok(stay_lines_load(&fixture->lines, fixture->rig->stores[0]->dest,
                              fixture->view->snapshot, which, fixture->rig->folder,
                              &fixture->rig->err),
              fixture->rig->err);
}

/* Reads @text as the facts of a snapshot. */
static void load_forged(struct fixture *fixture, const char *text)
{
    const struct stay_buf forged = {.data = (char *)text, .len = strlen(text)};

    forge_stream(fixture->rig, 0, STAY_FACTS, &forged, fixture->view->snapshot);
    load(fixture, STAY_FACTS);
}

static void notes_come_back(void **state)
{
    struct fixture *fixture = *state;

    load(fixture, STAY_NOTES);
    assert_int_equal(fixture->lines.n, 1);
    assert_string_equal(fixture->lines.items[0].key, "zz-link");
    assert_true(strlen(fixture->lines.items[0].value) > 10);
    assert_int_equal(fixture->lines.damage.kind, STAY_ERR_NONE);
}

static void a_snapshot_without_facts_has_none(void **state)
{
    struct fixture *fixture = *state;

    load(fixture, STAY_FACTS);
    assert_int_equal(fixture->lines.n, 0);
    assert_int_equal(fixture->lines.damage.kind, STAY_ERR_NONE);
}

static void bytes_come_back_as_they_were(void **state)
{
    struct fixture *fixture = *state;

    load_forged(fixture, "{\"name\":\"a\\udce4\\u000a\",\"value\":\"\"}\n"
                         "{\"value\":\"2\",\"name\":\"b\"}");
    assert_int_equal(fixture->lines.damage.kind, STAY_ERR_NONE);
    assert_int_equal(fixture->lines.n, 2);
    assert_string_equal(fixture->lines.items[0].key, "a\xe4\n");
    assert_string_equal(fixture->lines.items[0].value, "");
    assert_string_equal(fixture->lines.items[1].key, "b");
    assert_string_equal(fixture->lines.items[1].value, "2");
}

static void members_of_a_later_version_are_passed_over(void **state)
{
    struct fixture *fixture = *state;

    load_forged(fixture, "{\"name\":\"a\",\"unit\":\"rows\",\"weight\":-1.5e3,\"value\":\"1\"}\n");
    assert_int_equal(fixture->lines.damage.kind, STAY_ERR_NONE);
    assert_int_equal(fixture->lines.n, 1);
    assert_string_equal(fixture->lines.items[0].value, "1");
}

static void a_damaged_line_is_left_out_and_said(void **state)
{
    static const char *const wrong[] = {
        "{\"name\":\"a\"}",
        "{\"value\":\"a\"}",
        "{\"name\":\"a\",\"value\":\"1\"",
        "{\"name\":\"a\",\"value\":\"1\"}x",
        "{\"name\":\"a\",\"value\":1}",
        "{\"name\":\"a\",\"value\":}",
        "{\"name\":\"a\\u0000\",\"value\":\"1\"}",
        "{}",
        "[]",
        "name",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(wrong); i++) {
        stay_auto_str char *text = stay_strf(
            "{\"name\":\"x\",\"value\":\"1\"}\n%s\n\n{\"name\":\"y\",\"value\":\"2\"}\n", wrong[i]);
        load_forged(fixture, text);
        assert_error(fixture->lines.damage, STAY_ERR_CORRUPT, "a line of the facts is damaged");
        assert_int_equal(fixture->lines.n, 2);
        assert_string_equal(fixture->lines.items[1].key, "y");
    }
}

static void a_lost_stream_is_damage_not_emptiness(void **state)
{
    struct fixture *fixture = *state;

    load_forged(fixture, "{\"name\":\"a\",\"value\":\"1\"}\n");
    assert_int_equal(fixture->lines.n, 1);
    fixture->view->snapshot->streams[STAY_FACTS].chunks.items[0].id.bytes[0] ^= 1;
    load(fixture, STAY_FACTS);
    assert_int_equal(fixture->lines.n, 0);
    assert_int_equal(fixture->lines.damage.kind, STAY_ERR_CORRUPT);
}

int main(void)
{
#define WITH_VIEW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_VIEW(notes_come_back),
        WITH_VIEW(a_snapshot_without_facts_has_none),
        WITH_VIEW(bytes_come_back_as_they_were),
        WITH_VIEW(members_of_a_later_version_are_passed_over),
        WITH_VIEW(a_damaged_line_is_left_out_and_said),
        WITH_VIEW(a_lost_stream_is_damage_not_emptiness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
