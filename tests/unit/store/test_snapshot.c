/* tests/unit/store/test_snapshot.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * snapshot: documents that come back, and names that mean one snapshot each.
 */
#include "store/snapshot.h"

#include "support/cmocka.h"
#include "unit/store/snapshots.h"

static void assert_same_packs(const struct stay_snapshot *a, const struct stay_snapshot *b)
{
    assert_int_equal(a->packs.n, b->packs.n);
    for (size_t i = 0; i < a->packs.n; i++) {
        const struct stay_snapshot_pack *x = &a->packs.items[i];
        const struct stay_snapshot_pack *y = &b->packs.items[i];
        assert_true(stay_id_equal(&x->id, &y->id));
        assert_int_equal(x->bytes, y->bytes);
        assert_int_equal(x->frames.n, y->frames.n);
        for (size_t k = 0; k < x->frames.n; k++) {
            assert_int_equal(x->frames.items[k].first, y->frames.items[k].first);
            assert_int_equal(x->frames.items[k].last, y->frames.items[k].last);
            assert_int_equal(x->frames.items[k].codec, y->frames.items[k].codec);
        }
    }
    assert_int_equal(a->stream_frames.n, b->stream_frames.n);
    for (size_t i = 0; i < a->stream_frames.n; i++) {
        const struct stay_snapshot_frame *x = &a->stream_frames.items[i];
        const struct stay_snapshot_frame *y = &b->stream_frames.items[i];
        assert_int_equal(x->pack, y->pack);
        assert_int_equal(x->number, y->number);
        assert_int_equal(x->info.offset, y->info.offset);
        assert_int_equal(x->info.stored, y->info.stored);
        assert_int_equal(x->info.raw, y->info.raw);
        assert_int_equal(x->info.codec, y->info.codec);
    }
}

static void a_snapshot_comes_back_with_everything_in_it(void **state)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *made = sample_snapshot();
    stay_auto(stay_snapshot_free) struct stay_snapshot *back = NULL;
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    (void)state;
    stay_snapshot_encode(&text, made, SAMPLE_REPOSITORY);
    assert_ok(stay_snapshot_decode(&back, &text, SAMPLE_NAME, SAMPLE_REPOSITORY, &err), err);
    assert_string_equal(back->id, made->id);
    assert_string_equal(back->run, made->run);
    assert_string_equal(back->source, made->source);
    assert_string_equal(back->type, made->type);
    assert_string_equal(back->app, made->app);
    assert_string_equal(back->host, made->host);
    assert_string_equal(back->version, made->version);
    assert_true(back->instant_ns == made->instant_ns);
    assert_true(back->started_ns == made->started_ns);
    assert_true(back->finished_ns == made->finished_ns);
    assert_memory_equal(&back->counts, &made->counts, sizeof back->counts);
    assert_true(json_equal(back->details, made->details));
    assert_same_packs(made, back);
    for (int i = 0; i < STAY_STREAMS; i++) {
        const struct stay_snapshot_stream *a = &made->streams[i];
        const struct stay_snapshot_stream *b = &back->streams[i];
        assert_int_equal(a->bytes, b->bytes);
        assert_int_equal(a->chunks.n, b->chunks.n);
        assert_memory_equal(a->chunks.items, b->chunks.items,
                            a->chunks.n * sizeof *a->chunks.items);
    }
}

static void what_is_not_configured_is_left_out(void **state)
{
    stay_auto(stay_snapshot_free) struct stay_snapshot *made = sample_snapshot();
    stay_auto(stay_snapshot_free) struct stay_snapshot *back = NULL;
    stay_auto_buf struct stay_buf text = {0};
    struct stay_err err = {0};

    (void)state;
    free(made->app);
    made->app = NULL;
    stay_snapshot_encode(&text, made, SAMPLE_REPOSITORY);
    assert_null(strstr(text.data, "\"app\""));
    assert_ok(stay_snapshot_decode(&back, &text, SAMPLE_NAME, SAMPLE_REPOSITORY, &err), err);
    assert_null(back->app);
    stay_snapshot_free(NULL);
}

static void a_name_says_source_time_and_id(void **state)
{
    char name[STAY_SNAPSHOT_NAME_MAX];
    struct stay_snapshot_ref ref;

    (void)state;
    assert_string_equal(stay_snapshot_name(name, "media", INT64_C(1795314600123456789), "0a1b2c3d"),
                        SAMPLE_NAME);
    assert_int_equal(stay_snapshot_parse_name(&ref, name), 0);
    assert_string_equal(ref.name, SAMPLE_NAME);
    assert_string_equal(ref.source, "media");
    assert_string_equal(ref.id, "0a1b2c3d");
    assert_true(ref.instant_ns == INT64_C(1795314600000000000));
}

static void the_longest_source_has_a_name_too(void **state)
{
    char source[STAY_SOURCE_MAX + 2];
    char name[STAY_SNAPSHOT_NAME_MAX];
    struct stay_snapshot_ref ref;

    (void)state;
    memset(source, 's', sizeof source);
    source[STAY_SOURCE_MAX] = '\0';
    (void)stay_snapshot_name(name, source, 0, "00000000");
    assert_int_equal(stay_snapshot_parse_name(&ref, name), 0);
    assert_string_equal(ref.source, source);
    stay_auto_str char *longer = stay_strf("snapshots/s%s", name + sizeof "snapshots/" - 1);
    assert_int_equal(stay_snapshot_parse_name(&ref, longer), -1);
}

static void what_is_not_named_like_a_snapshot_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "snapshots/",
        "snapshots/media",
        "snapshots//20261122T023000Z-0a1b2c3d.json",
        "snapshot/media/20261122T023000Z-0a1b2c3d.json",
        "snapshots/media/x/20261122T023000Z-0a1b2c3d.json",
        "snapshots/media/20261122T023000Z-0A1b2c3d.json",
        "snapshots/media/20261122T023000Z-0a1b2c3g.json",
        "snapshots/media/20261122T023000Z_0a1b2c3d.json",
        "snapshots/media/20261122T023000Z-0a1b2c3d.jsox",
        "snapshots/media/20261122T023000Z-0a1b2c3d.json.tmp",
        "snapshots/media/20261132T023000Z-0a1b2c3d.json",
        "snapshots/media/2026-11-22T02:30-0a1b2c3d.json",
    };
    struct stay_snapshot_ref ref;

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(wrong); i++)
        if (stay_snapshot_parse_name(&ref, wrong[i]) == 0)
            fail_msg("taken for a snapshot: %s", wrong[i]);
}

static void streams_have_names(void **state)
{
    (void)state;
    assert_string_equal(stay_snapshot_stream_name(STAY_MANIFEST), "manifest");
    assert_string_equal(stay_snapshot_stream_name(STAY_FACTS), "facts");
    assert_string_equal(stay_snapshot_stream_name(STAY_NOTES), "notes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_comes_back_with_everything_in_it),
        cmocka_unit_test(what_is_not_configured_is_left_out),
        cmocka_unit_test(a_name_says_source_time_and_id),
        cmocka_unit_test(the_longest_source_has_a_name_too),
        cmocka_unit_test(what_is_not_named_like_a_snapshot_is_none),
        cmocka_unit_test(streams_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
