/* tests/unit/engine/test_check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * check: a sound repository has no finding, and each kind of damage has its own words.
 */
#include "engine/check.h"

#include "unit/engine/files.h"

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_backup_result backup;
    struct stay_check_result result;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    fixture->rig = new_rig(1);
    fixture->files = make_files(5);
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &fixture->backup),
              fixture->rig->err);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_check_result_free(&fixture->result);
    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

static int run_check(struct fixture *fixture, unsigned percent)
{
    const struct stay_check_options options = {
        .repository = fixture->rig->repositories[0],
        .data_percent = percent,
        .threads = 2,
        .scratch = fixture->rig->folder,
        .cancel = &fixture->rig->cancel,
        .progress = &fixture->rig->progress,
    };

    stay_check_result_free(&fixture->result);
    return stay_check(&options, &fixture->result, &fixture->rig->err);
}

static void look(struct fixture *fixture, unsigned percent)
{
    assert_ok(run_check(fixture, percent), fixture->rig->err);
}

/* The finding about @object with exactly @text, or NULL. */
static const struct stay_finding *finding(const struct fixture *fixture, const char *object,
                                          const char *text)
{
    for (size_t i = 0; i < fixture->result.findings.n; i++) {
        const struct stay_finding *item = &fixture->result.findings.items[i];
        if (strcmp(item->object, object) == 0 && strcmp(item->text, text) == 0)
            return item;
    }
    return NULL;
}

static void assert_found(const struct fixture *fixture, enum stay_finding_kind kind,
                         const char *object, const char *text)
{
    const struct stay_finding *item = finding(fixture, object, text);

    if (item == NULL) {
        for (size_t i = 0; i < fixture->result.findings.n; i++)
            print_message("%s: %s\n", fixture->result.findings.items[i].object,
                          fixture->result.findings.items[i].text);
        fail_msg("not found: %s: %s", object, text);
        return;
    }
    assert_int_equal(item->kind, kind);
    assert_int_equal(fixture->result.n_damage > 0, kind != STAY_FINDING_NOTE);
}

static size_t losses(const struct fixture *fixture)
{
    size_t n = 0;

    for (size_t i = 0; i < fixture->result.findings.n; i++)
        n += fixture->result.findings.items[i].kind == STAY_FINDING_LOSS;
    return n;
}

/* The first object of a prefix; the caller frees it. */
static char *object(const struct fixture *fixture, const char *prefix)
{
    stay_auto_dest_list struct stay_dest_list list = {0};

    assert_int_equal(stay_dest_list(fixture->rig->stores[0]->dest, prefix, &list, NULL), 0);
    assert_true(list.n > 0);
    return stay_strdup(list.items[0].name);
}

static void flip(struct fixture *fixture, const char *name, size_t part, size_t parts)
{
    stay_auto_buf struct stay_buf data = {0};

    assert_int_equal(stay_memory_dest_read(fixture->rig->stores[0]->memory, name, &data), 0);
    data.data[data.len * part / parts] ^= 1;
    stay_memory_dest_write(fixture->rig->stores[0]->memory, name, data.data, data.len);
}

static void drop(struct fixture *fixture, const char *name)
{
    assert_int_equal(stay_memory_dest_remove(fixture->rig->stores[0]->memory, name), 0);
}

static void a_sound_repository_has_no_finding(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned percent = 0; percent <= 100; percent += 50) {
        look(fixture, percent);
        assert_int_equal(fixture->result.findings.n, 0);
        assert_int_equal(fixture->result.snapshots, 1);
        assert_int_equal(fixture->result.entries, FILES + 10);
    }
    assert_int_equal(fixture->result.packs_read, fixture->result.packs);
    assert_int_equal(fixture->result.bytes_read, rig_pack_bytes(fixture->rig, 0));
    look(fixture, 0);
    assert_int_equal(fixture->result.packs_read, 0);
}

static void a_flipped_byte_in_a_pack_is_found_and_its_files_are_named(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *pack = object(fixture, "packs/");

    flip(fixture, pack, 1, 2);
    look(fixture, 0);
    assert_int_equal(fixture->result.findings.n, 0); /* nobody has looked at the data */
    look(fixture, 100);
    assert_found(fixture, STAY_FINDING_DAMAGE, pack, "its content is not what it was");
    assert_found(fixture, STAY_FINDING_LOSS, fixture->backup.copies[0].snapshot,
                 "a chunk of it lies in a damaged frame");
    assert_in_range(losses(fixture), 1, FILES - 10);
}

static void a_missing_pack_is_found_without_reading_data(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *pack = object(fixture, "packs/");

    drop(fixture, pack);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, pack, "is missing");
}

static void a_truncated_pack_is_found_without_reading_data(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *pack = object(fixture, "packs/");
    stay_auto_buf struct stay_buf data = {0};

    assert_int_equal(stay_memory_dest_read(fixture->rig->stores[0]->memory, pack, &data), 0);
    stay_memory_dest_write(fixture->rig->stores[0]->memory, pack, data.data, 1000);
    stay_auto_str char *expected = stay_strf("has 1000 bytes instead of %zu", data.len);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, pack, expected);
}

static void a_damaged_snapshot_is_found(void **state)
{
    struct fixture *fixture = *state;
    const char *name = fixture->backup.copies[0].snapshot;
    stay_auto_str char *expected =
        stay_strf("%s is damaged: its content does not match its checksum", name);

    flip(fixture, name, 1, 3);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, name, expected);
}

static void a_missing_snapshot_is_missed_because_of_its_record(void **state)
{
    struct fixture *fixture = *state;
    const char *name = fixture->backup.copies[0].snapshot;

    drop(fixture, name);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, name,
                 "the snapshot is missing, though a record says that it was made");
}

static void a_missing_record_is_damage_and_one_yet_to_come_is_not(void **state)
{
    struct fixture *fixture = *state;
    stay_auto(stay_view_free) struct stay_view *view = rig_view(fixture->rig, 0);
    stay_auto_str char *record = object(fixture, "records/");
    const char *name = fixture->backup.copies[0].snapshot;

    drop(fixture, record);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, name, "the record of its run is missing");
    assert_ok(stay_run_lock(fixture->rig->repositories[0], view->snapshot->run, "media", "web-1", 0,
                            &fixture->rig->err),
              fixture->rig->err);
    look(fixture, 0);
    assert_int_equal(fixture->result.findings.n, 1);
    assert_found(fixture, STAY_FINDING_NOTE, name,
                 "its run has not written its record (yet, or was interrupted)");
}

static void a_damaged_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *record = object(fixture, "records/");
    stay_auto_str char *expected =
        stay_strf("%s is damaged: its content does not match its checksum", record);

    flip(fixture, record, 1, 2);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, record, expected);
}

static void a_damaged_or_missing_index_is_found(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_str char *index = object(fixture, "index/");
    stay_auto_str char *pack = object(fixture, "packs/");
    stay_auto_str char *expected = stay_strf("refers to %s, which is in no index", pack);

    flip(fixture, index, 1, 2);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, index, "its content is not what it was");
    drop(fixture, index);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, fixture->backup.copies[0].snapshot, expected);
}

static void changed_or_missing_texts_are_found(void **state)
{
    struct fixture *fixture = *state;

    flip(fixture, "README.txt", 1, 2);
    drop(fixture, "restore.sh");
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, "README.txt", "is not as it was written");
    assert_found(fixture, STAY_FINDING_DAMAGE, "restore.sh", "is missing");
    assert_int_equal(fixture->result.n_damage, 2);
}

static void objects_that_nobody_knows_are_noted(void **state)
{
    struct fixture *fixture = *state;
    static const char snapshot[] = "snapshots/media/copy.json";
    struct stay_memory_dest *memory = fixture->rig->stores[0]->memory;

    stay_memory_dest_write(memory, "notes.txt", "x", 1);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_NOTE, "notes.txt", "is not part of the repository");
    stay_memory_dest_write(memory, snapshot, "x", 1);
    stay_memory_dest_write(memory, "index/x", "x", 1);
    stay_memory_dest_write(memory, "packs/x", "x", 1);
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, snapshot, "is not named like a snapshot");
    assert_found(fixture, STAY_FINDING_DAMAGE, "index/x", "is not named by a SHA-256");
    assert_found(fixture, STAY_FINDING_DAMAGE, "packs/x", "is not named like a pack");
}

static void a_pack_left_over_from_a_crash_is_noted_and_its_damage_found(void **state)
{
    struct fixture *fixture = *state;
    static const char name[] =
        "packs/00/00000000000000000000000000000000000000000000000000000000000000aa.tar";

    stay_memory_dest_write(fixture->rig->stores[0]->memory, name, "not its content", 15);
    look(fixture, 0);
    assert_int_equal(fixture->result.n_damage, 0);
    assert_found(fixture, STAY_FINDING_NOTE, name,
                 "is in no index: left over from an interrupted run, or its index is lost");
    look(fixture, 100);
    assert_found(fixture, STAY_FINDING_DAMAGE, name, "its content is not what it was");
    assert_int_equal(losses(fixture), 0);
}

/* Seals the snapshot again with its member @key, inside of @inside, set to @value. */
static void forge_snapshot(struct fixture *fixture, const char *inside, const char *key,
                           json_t *value)
{
    const char *name = fixture->backup.copies[0].snapshot;
    struct stay_memory_dest *memory = fixture->rig->stores[0]->memory;
    stay_auto(json_decref) json_t *document = NULL;
    stay_auto_buf struct stay_buf text = {0};
    stay_auto_buf struct stay_buf forged = {0};

    assert_int_equal(stay_memory_dest_read(memory, name, &text), 0);
    assert_int_equal(stay_doc_open(&document, &text, name, NULL), 0);
    assert_int_equal(json_object_del(document, "sha256"), 0);
    assert_int_equal(json_object_set_new(json_object_get(document, inside), key, value), 0);
    stay_doc_seal(&forged, document);
    stay_memory_dest_write(memory, name, forged.data, forged.len);
}

static void counts_that_do_not_fit_are_found(void **state)
{
    struct fixture *fixture = *state;

    forge_snapshot(fixture, "counts", "entries", json_integer(71));
    look(fixture, 0);
    assert_found(fixture, STAY_FINDING_DAMAGE, fixture->backup.copies[0].snapshot,
                 "its manifest has 70 entries instead of 71");
}

static void a_cancelled_check_stops(void **state)
{
    struct fixture *fixture = *state;

    stay_cancel_request(&fixture->rig->cancel, 15);
    assert_int_equal(run_check(fixture, 100), -1);
    assert_error(fixture->rig->err, STAY_ERR_CANCELLED, "stopped on request");
}

static void a_destination_that_cannot_be_read_ends_it(void **state)
{
    static const struct {
        enum stay_dest_op op;
        const char *prefix;
    } calls[] = {
        {STAY_DEST_OP_LIST, "locks/"},    {STAY_DEST_OP_LIST, "snapshots/"},
        {STAY_DEST_OP_LIST, "index/"},    {STAY_DEST_OP_LIST, ""},
        {STAY_DEST_OP_GET, "README.txt"}, {STAY_DEST_OP_GET, "records/"},
        {STAY_DEST_OP_GET, "snapshots/"}, {STAY_DEST_OP_GET, "index/"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < STAY_COUNT(calls); i++) {
        stay_failing_dest_heal(fixture->rig->stores[0]->failing);
        rig_fail(fixture->rig, 0, calls[i].op, calls[i].prefix, 1);
        assert_int_equal(run_check(fixture, 0), -1);
        assert_int_equal(fixture->rig->err.kind, STAY_ERR_SPACE);
    }
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(stay_finding_kind_name(STAY_FINDING_NOTE), "note");
    assert_string_equal(stay_finding_kind_name(STAY_FINDING_DAMAGE), "damage");
    assert_string_equal(stay_finding_kind_name(STAY_FINDING_LOSS), "loss");
}

int main(void)
{
#define WITH_REPOSITORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_REPOSITORY(a_sound_repository_has_no_finding),
        WITH_REPOSITORY(a_flipped_byte_in_a_pack_is_found_and_its_files_are_named),
        WITH_REPOSITORY(a_missing_pack_is_found_without_reading_data),
        WITH_REPOSITORY(a_truncated_pack_is_found_without_reading_data),
        WITH_REPOSITORY(a_damaged_snapshot_is_found),
        WITH_REPOSITORY(a_missing_snapshot_is_missed_because_of_its_record),
        WITH_REPOSITORY(a_missing_record_is_damage_and_one_yet_to_come_is_not),
        WITH_REPOSITORY(a_damaged_record_is_found),
        WITH_REPOSITORY(a_damaged_or_missing_index_is_found),
        WITH_REPOSITORY(changed_or_missing_texts_are_found),
        WITH_REPOSITORY(objects_that_nobody_knows_are_noted),
        WITH_REPOSITORY(a_pack_left_over_from_a_crash_is_noted_and_its_damage_found),
        WITH_REPOSITORY(counts_that_do_not_fit_are_found),
        WITH_REPOSITORY(a_cancelled_check_stops),
        WITH_REPOSITORY(a_destination_that_cannot_be_read_ends_it),
        cmocka_unit_test(kinds_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
