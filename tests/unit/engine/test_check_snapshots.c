/* tests/unit/engine/test_check_snapshots.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * check of snapshots: what one says is compared with index and manifest, however well it is sealed.
 */
#include "engine/check.h"

#include "unit/engine/files.h"
#include "unit/engine/forge.h"

struct fixture {
    struct rig *rig;
    struct files *files;
    struct stay_view *view; /* its snapshot is changed by the tests */
    struct stay_check_result result;
    char name[STAY_SNAPSHOT_NAME_MAX];
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);
    struct stay_backup_result backup;

    fixture->rig = new_rig(1);
    fixture->files = make_files(8);
    assert_ok(rig_backup(fixture->rig, &fixture->files->script, &backup), fixture->rig->err);
    fixture->view = rig_view(fixture->rig, 0);
    memcpy(fixture->name, backup.copies[0].snapshot, sizeof fixture->name);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_check_result_free(&fixture->result);
    stay_view_free(fixture->view);
    free_files(fixture->files);
    free_rig(fixture->rig);
    free(fixture);
    return 0;
}

/* Stores the changed snapshot and checks; every finding must be @kind and say @text. */
static void assert_finding(struct fixture *fixture, enum stay_finding_kind kind, const char *text)
{
    const struct stay_check_options options = {
        .repository = fixture->rig->repositories[0],
        .data_percent = 100,
        .threads = 2,
        .scratch = fixture->rig->folder,
    };

    forge_snapshot(fixture->rig, 0, fixture->view->snapshot);
    assert_ok(stay_check(&options, &fixture->result, &fixture->rig->err), fixture->rig->err);
    assert_true(fixture->result.findings.n > 0);
    for (size_t i = 0; i < fixture->result.findings.n; i++) {
        const struct stay_finding *finding = &fixture->result.findings.items[i];
        assert_string_equal(finding->object, fixture->name);
        assert_string_equal(finding->text, text);
        assert_int_equal(finding->kind, kind);
    }
}

static void another_size_of_a_pack_is_found(void **state)
{
    struct fixture *fixture = *state;

    fixture->view->snapshot->packs.items[0].bytes += 512;
    assert_finding(fixture, STAY_FINDING_DAMAGE, "says another size of a pack than the index");
}

static void another_codec_of_a_frame_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct stay_snapshot_frames *run = &fixture->view->snapshot->packs.items[0].frames.items[0];

    run->codec = run->codec == STAY_CODEC_RAW ? STAY_CODEC_ZSTD : STAY_CODEC_RAW;
    assert_finding(fixture, STAY_FINDING_DAMAGE, "says another codec of a frame than the index");
}

static void a_frame_that_does_not_exist_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct stay_snapshot_pack *pack = &fixture->view->snapshot->packs.items[0];
    struct stay_snapshot_frames *run = &pack->frames.items[pack->frames.n - 1];
    char name[STAY_PACK_NAME_MAX];
    stay_auto_str char *expected = stay_strf("refers to frame 9999 of %s, which has %u",
                                             stay_pack_name(name, &pack->id), run->last + 1);

    *stay_vec_push(&pack->frames) =
        (struct stay_snapshot_frames){.first = 9999, .last = 9999, .codec = STAY_CODEC_ZSTD};
    assert_finding(fixture, STAY_FINDING_DAMAGE, expected);
}

static void frames_that_are_used_and_not_named_are_found(void **state)
{
    struct fixture *fixture = *state;

    fixture->view->snapshot->packs.items[0].frames.n = 0;
    assert_finding(fixture, STAY_FINDING_DAMAGE, "has chunks in frames that it does not name");
}

/* Makes the manifest a single file of one chunk. */
static void forge_one_file(struct fixture *fixture, const struct stay_id *id, uint64_t bytes)
{
    const struct backstay_entry entry = file_entry("forged", bytes);
    stay_auto_buf struct stay_buf line = {0};

    stay_manifest_encode(&line, &entry, id, 1);
    forge_manifest(fixture->rig, 0, &line, fixture->view->snapshot);
    fixture->view->snapshot->counts.entries = 1;
}

static struct stay_id id_of_file(const struct fixture *fixture, size_t number)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    struct stay_id id;

    stay_digest_of(digest, fixture->files->contents[number], fixture->files->lengths[number], &id);
    return id;
}

static void a_file_that_claims_more_than_its_chunks_have_is_lost(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_id id = id_of_file(fixture, 1);

    forge_one_file(fixture, &id, fixture->files->lengths[1] + 1);
    assert_finding(fixture, STAY_FINDING_LOSS, "its chunks do not add up to its size");
    assert_string_equal(fixture->result.findings.items[0].path, "forged");
}

static void a_chunk_that_is_nowhere_is_a_loss(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_id id = {{0xab}};

    forge_one_file(fixture, &id, 1);
    assert_finding(fixture, STAY_FINDING_LOSS, "a chunk of it is in no pack that exists");
}

static void a_sound_manifest_of_a_forger_has_no_finding(void **state)
{
    struct fixture *fixture = *state;
    const struct stay_id id = id_of_file(fixture, 1);
    const struct stay_check_options options = {.repository = fixture->rig->repositories[0],
                                               .scratch = fixture->rig->folder};

    forge_one_file(fixture, &id, fixture->files->lengths[1]);
    forge_snapshot(fixture->rig, 0, fixture->view->snapshot);
    assert_ok(stay_check(&options, &fixture->result, &fixture->rig->err), fixture->rig->err);
    assert_int_equal(fixture->result.findings.n, 0);
    assert_int_equal(fixture->result.entries, 1);
}

int main(void)
{
#define WITH_SNAPSHOT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SNAPSHOT(another_size_of_a_pack_is_found),
        WITH_SNAPSHOT(another_codec_of_a_frame_is_found),
        WITH_SNAPSHOT(a_frame_that_does_not_exist_is_found),
        WITH_SNAPSHOT(frames_that_are_used_and_not_named_are_found),
        WITH_SNAPSHOT(a_file_that_claims_more_than_its_chunks_have_is_lost),
        WITH_SNAPSHOT(a_chunk_that_is_nowhere_is_a_loss),
        WITH_SNAPSHOT(a_sound_manifest_of_a_forger_has_no_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
