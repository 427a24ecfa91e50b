/* tests/unit/store/test_snapshot_decode.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * snapshot decoding: damaged, swapped, foreign and forged documents are refused, with the reason.
 */
#include "store/snapshot.h"

#include "support/cmocka.h"
#include "unit/store/snapshots.h"

#define OTHER_REPOSITORY "ffffffffffffffffffffffffffffffff"

static int decode(const struct stay_buf *text, const char *name, const char *repository,
                  struct stay_err *err)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *back = NULL;

    return stay_snapshot_decode(&back, text, name, repository, err);
}

/* The sample as JSON, without its seal, to be changed by a forger. */
static json_t *sample_json(void)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *made = sample_snapshot();
    stay_auto_buf struct stay_buf text = {0};
    json_t *object = NULL;

    stay_snapshot_encode(&text, made, SAMPLE_REPOSITORY);
    assert_int_equal(stay_doc_open(&object, &text, "sample", NULL), 0);
    assert_int_equal(json_object_del(object, "sha256"), 0);
    return object;
}

/* Seals @object (taken over) as it is now, and expects the decoder to say @why. */
static void assert_refused(json_t *object, enum stay_kind kind, const char *why)
{
    stay_auto_str char *expected = stay_strf("%s: %s", SAMPLE_NAME, why);
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    stay_doc_seal(&text, object);
    json_decref(object);
    if (decode(&text, SAMPLE_NAME, SAMPLE_REPOSITORY, &err) == 0)
        fail_msg("accepted, though %s", why);
    assert_error(err, kind, expected);
}

/* Takes "packs.0.frames" to the member of that name, or the list's item of that number. */
static json_t *at(json_t *object, const char *path)
{
    stay_auto_str char *copy = stay_strdup(path);
    char *rest = NULL;

    for (char *word = strtok_r(copy, ".", &rest); word; word = strtok_r(NULL, ".", &rest))
        object = json_is_array(object) ? json_array_get(object, (size_t)(word[0] - '0'))
                                       : json_object_get(object, word);
    assert_non_null(object);
    return object;
}

static json_t *with(const char *path, const char *key, json_t *value)
{
    json_t *object = sample_json();

    assert_int_equal(json_object_set_new(at(object, path), key, value), 0);
    return object;
}

static json_t *without(const char *path, const char *key)
{
    json_t *object = sample_json();

    assert_int_equal(json_object_del(at(object, path), key), 0);
    return object;
}

static void a_damaged_document_is_refused(void **state)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *made = sample_snapshot();
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    (void)state;
    stay_snapshot_encode(&text, made, SAMPLE_REPOSITORY);
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] ^= 1;
        assert_int_equal(decode(&text, SAMPLE_NAME, SAMPLE_REPOSITORY, &err), -1);
        assert_error(err, STAY_ERR_CORRUPT,
                     SAMPLE_NAME " is damaged: its content does not match its checksum");
        text.data[i] ^= 1;
    }
    assert_ok(decode(&text, SAMPLE_NAME, SAMPLE_REPOSITORY, &err), err);
}

static void a_document_under_another_name_is_refused(void **state)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *made = sample_snapshot();
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    (void)state;
    stay_snapshot_encode(&text, made, SAMPLE_REPOSITORY);
    assert_int_equal(
        decode(&text, "snapshots/media/20261122T023000Z-ffffffff.json", SAMPLE_REPOSITORY, &err),
        -1);
    assert_error(err, STAY_ERR_CORRUPT,
                 "snapshots/media/20261122T023000Z-ffffffff.json: is really " SAMPLE_NAME
                 ": objects were swapped");
}

static void a_document_of_another_repository_is_refused(void **state)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *made = sample_snapshot();
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    (void)state;
    stay_snapshot_encode(&text, made, SAMPLE_REPOSITORY);
    assert_int_equal(decode(&text, SAMPLE_NAME, OTHER_REPOSITORY, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT,
                 SAMPLE_NAME ": belongs to another repository (" SAMPLE_REPOSITORY ")");
}

static void another_kind_or_format_of_document_is_refused(void **state)
{
    (void)state;
    assert_refused(with("", "kind", json_string("record")), STAY_ERR_CORRUPT,
                   "is not a snapshot but a record");
    assert_refused(with("", "format", json_integer(2)), STAY_ERR_CONFIG,
                   "has format 2; this version reads format 1: use a newer backstay");
}

static void each_missing_member_is_named(void **state)
{
    static const struct {
        const char *path;
        const char *key;
        const char *type;
    } members[] = {
        {"", "format", "a number"},
        {"", "kind", "a string"},
        {"", "repository", "a string"},
        {"", "id", "a string"},
        {"", "run", "a string"},
        {"", "source", "a string"},
        {"", "type", "a string"},
        {"", "host", "a string"},
        {"", "version", "a string"},
        {"", "instant", "a string"},
        {"", "started", "a string"},
        {"", "finished", "a string"},
        {"", "details", "an object"},
        {"", "counts", "an object"},
        {"", "packs", "a list"},
        {"", "stream_frames", "a list"},
        {"", "manifest", "an object"},
        {"", "facts", "an object"},
        {"", "notes", "an object"},
        {"counts", "entries", "a number"},
        {"counts", "files", "a number"},
        {"counts", "warnings", "a number"},
        {"counts", "unchanged", "a number"},
        {"counts", "bytes", "a number"},
        {"counts", "bytes_read", "a number"},
        {"counts", "bytes_new", "a number"},
        {"counts", "bytes_stored", "a number"},
        {"packs.1", "id", "a string"},
        {"packs.1", "bytes", "a number"},
        {"packs.1", "frames", "a list"},
        {"packs.0.frames.1", "numbers", "a list"},
        {"packs.0.frames.1", "codec", "a string"},
        {"packs.0.frames.1", "bases", "a list"},
        {"stream_frames.0", "pack", "a number"},
        {"stream_frames.0", "number", "a number"},
        {"stream_frames.0", "offset", "a number"},
        {"stream_frames.0", "stored", "a number"},
        {"stream_frames.0", "raw", "a number"},
        {"stream_frames.0", "codec", "a string"},
        {"stream_frames.0", "bases", "a list"},
        {"manifest", "bytes", "a number"},
        {"manifest", "chunks", "a list"},
        {"notes.chunks.1", "id", "a string"},
        {"notes.chunks.1", "bytes", "a number"},
        {"notes.chunks.1", "frame", "a number"},
        {"notes.chunks.1", "offset", "a number"},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(members); i++) {
        stay_auto_str char *expected =
            stay_strf("member \"%s\" is missing or not %s", members[i].key, members[i].type);
        assert_refused(without(members[i].path, members[i].key), STAY_ERR_CORRUPT, expected);
        assert_refused(with(members[i].path, members[i].key, json_true()), STAY_ERR_CORRUPT,
                       expected);
    }
}

static void ids_of_another_form_are_refused(void **state)
{
    (void)state;
    assert_refused(with("", "id", json_string("../../..")), STAY_ERR_CORRUPT,
                   "member \"id\" is malformed");
    assert_refused(with("", "run", json_string("0A1B2C3D4E5F6071")), STAY_ERR_CORRUPT,
                   "member \"run\" is malformed");
    assert_refused(with("", "run", json_string("0a1b2c3d")), STAY_ERR_CORRUPT,
                   "member \"run\" is malformed");
}

static void frames_that_this_version_cannot_read_are_refused(void **state)
{
    json_t *bases = json_array();

    (void)state;
    assert_int_equal(json_array_append_new(bases, json_string("x")), 0);
    assert_refused(with("packs.0.frames.0", "codec", json_string("zstd.age")), STAY_ERR_CORRUPT,
                   "a frame has codec \"zstd.age\", which this version cannot read");
    assert_refused(with("stream_frames.0", "bases", bases), STAY_ERR_CORRUPT,
                   "member \"pack\" is missing or not a string");
}

static void ranges_of_frames_are_ascending_numbers(void **state)
{
    (void)state;
    assert_refused(with("packs.0.frames.0", "numbers", json_pack("[i,i]", 3, 2)), STAY_ERR_CORRUPT,
                   "a range of frames is malformed");
    assert_refused(with("packs.0.frames.0", "numbers", json_pack("[i,i]", -1, 2)), STAY_ERR_CORRUPT,
                   "a range of frames is malformed");
    assert_refused(with("packs.0.frames.0", "numbers", json_pack("[i,i]", 0, 1000000)),
                   STAY_ERR_CORRUPT, "a range of frames is malformed");
    assert_refused(with("packs.0.frames.0", "numbers", json_pack("[i]", 0)), STAY_ERR_CORRUPT,
                   "a range of frames is malformed");
    assert_refused(with("packs.0.frames.0", "numbers", json_pack("[s,s]", "a", "b")),
                   STAY_ERR_CORRUPT, "a range of frames is malformed");
}

static void what_lies_outside_of_what_holds_it_is_refused(void **state)
{
    static const struct {
        const char *path;
        const char *key;
        json_int_t value;
        const char *why;
    } forged[] = {
        {"packs.0", "bytes", 268435457, "a pack is larger than any can be"},
        {"stream_frames.0", "pack", 2, "a frame lies outside its pack"},
        {"stream_frames.0", "pack", UINT32_MAX, "a frame lies outside its pack"},
        {"stream_frames.0", "offset", 5001, "a frame lies outside its pack"},
        {"stream_frames.0", "offset", INT64_MAX, "a frame lies outside its pack"},
        {"stream_frames.0", "stored", 4489, "a frame lies outside its pack"},
        {"stream_frames.0", "raw", 67108865, "a frame lies outside its pack"},
        {"manifest.chunks.0", "frame", 1, "a chunk lies outside its frame"},
        {"manifest.chunks.0", "frame", UINT32_MAX, "a chunk lies outside its frame"},
        {"manifest.chunks.0", "offset", 2911, "a chunk lies outside its frame"},
        {"manifest.chunks.0", "bytes", 2489, "a chunk lies outside its frame"},
        {"manifest.chunks.0", "bytes", 91, "the chunks of the manifest do not add up to its size"},
        {"facts", "bytes", 1, "the chunks of the facts do not add up to its size"},
    };

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(forged); i++)
        assert_refused(with(forged[i].path, forged[i].key, json_integer(forged[i].value)),
                       STAY_ERR_CORRUPT, forged[i].why);
}

/* Something of no length fits everywhere, also where there is nothing. */
static void what_is_empty_must_have_its_place_too(void **state)
{
    json_t *frame = with("stream_frames.0", "pack", json_integer(7));
    json_t *chunk = with("notes.chunks.1", "frame", json_integer(7));

    (void)state;
    assert_int_equal(json_object_set_new(at(frame, "stream_frames.0"), "offset", json_integer(0)),
                     0);
    assert_int_equal(json_object_set_new(at(frame, "stream_frames.0"), "stored", json_integer(0)),
                     0);
    assert_refused(frame, STAY_ERR_CORRUPT, "a frame lies outside its pack");
    assert_int_equal(json_object_set_new(at(chunk, "notes.chunks.1"), "offset", json_integer(0)),
                     0);
    assert_int_equal(json_object_set_new(at(chunk, "notes.chunks.1"), "bytes", json_integer(0)), 0);
    assert_int_equal(json_object_set_new(at(chunk, "notes"), "bytes", json_integer(90)), 0);
    assert_refused(chunk, STAY_ERR_CORRUPT, "a chunk lies outside its frame");
}

static void a_list_instead_of_an_object_is_refused(void **state)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf text = {0};
    static const char body[] = "[1";
    struct stay_err err = {0};
    struct stay_id sum;

    (void)state;
    stay_digest_of(digest, body, sizeof body - 1, &sum);
    stay_buf_str(&text, body);
    stay_buf_str(&text, ",\"sha256\":\"");
    stay_buf_hex(&text, sum.bytes, sizeof sum.bytes);
    stay_buf_str(&text, "\"}\n");
    assert_int_equal(decode(&text, SAMPLE_NAME, SAMPLE_REPOSITORY, &err), -1);
    assert_error(err, STAY_ERR_CORRUPT, SAMPLE_NAME " is not valid JSON: ']' expected near ':'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_document_is_refused),
        cmocka_unit_test(a_document_under_another_name_is_refused),
        cmocka_unit_test(a_document_of_another_repository_is_refused),
        cmocka_unit_test(another_kind_or_format_of_document_is_refused),
        cmocka_unit_test(each_missing_member_is_named),
        cmocka_unit_test(ids_of_another_form_are_refused),
        cmocka_unit_test(frames_that_this_version_cannot_read_are_refused),
        cmocka_unit_test(ranges_of_frames_are_ascending_numbers),
        cmocka_unit_test(what_lies_outside_of_what_holds_it_is_refused),
        cmocka_unit_test(what_is_empty_must_have_its_place_too),
        cmocka_unit_test(a_list_instead_of_an_object_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
