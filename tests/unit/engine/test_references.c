/* tests/unit/engine/test_references.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Frames that are built on others are not written yet; what keeps such bases alive works already.
 */
#include "engine/references.h"

#include "engine/check.h"

#include "unit/engine/rig.h"

enum { FRAMES = 4 };

/* A pack of FRAMES frames of one chunk each, whose ids begin with @letter and the frame's number.
 */
static struct stay_pack *make_pack(unsigned char letter)
{
    struct stay_pack *pack = stay_new(struct stay_pack);

    memset(pack->id.bytes, letter, sizeof pack->id.bytes);
    pack->bytes = 16384;
    for (unsigned i = 0; i < FRAMES; i++) {
        struct stay_frame_info *info = stay_vec_push(&pack->frames);
        memset(info, 0, sizeof *info);
        info->offset = 512 + 1024 * i;
        info->stored = 1000;
        info->raw = 2048;
        info->codec = STAY_CODEC_ZSTD;
        struct stay_frame_chunk *chunk = stay_vec_push(&info->chunks);
        *chunk = (struct stay_frame_chunk){.bytes = 100, .offset = STAY_USTAR_BLOCK};
        memset(chunk->id.bytes, letter, sizeof chunk->id.bytes);
        chunk->id.bytes[0] = (unsigned char)i;
    }
    return pack;
}

static void free_pack(struct stay_pack *pack)
{
    stay_pack_free(pack);
    free(pack);
}

static void build_on(struct stay_pack *pack, unsigned frame, const struct stay_pack *base,
                     unsigned number)
{
    *stay_vec_push(&pack->frames.items[frame].bases) = (struct stay_frame_base){base->id, number};
}

/* Pack b: frame 1 is built on a's frame 2 and b's frame 0; a's frame 2 on a's frame 0. */
static struct stay_index *make_index(void)
{
    struct stay_index *index = stay_index_new();
    struct stay_pack *a = make_pack('a');
    struct stay_pack *b = make_pack('b');

    build_on(a, 2, a, 0);
    build_on(b, 1, a, 2);
    build_on(b, 1, b, 0);
    stay_index_add(index, a);
    stay_index_add(index, b);
    stay_index_sort(index);
    free_pack(a);
    free_pack(b);
    return index;
}

static void assert_bases(const struct stay_index *index)
{
    size_t n;
    const struct stay_index_frame *frames = stay_index_frames(index, &n);

    assert_int_equal(n, 2 * FRAMES);
    const struct stay_frame_base *bases = stay_index_bases(index, &frames[FRAMES + 1], &n);
    assert_int_equal(n, 2);
    assert_int_equal(stay_index_find_base(index, &bases[0]), 2);
    assert_int_equal(stay_index_find_base(index, &bases[1]), FRAMES);
    (void)stay_index_bases(index, &frames[1], &n);
    assert_int_equal(n, 0);
}

static void bases_survive_index_objects(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = stay_index_new();
    stay_auto_buf struct stay_buf object = {0};
    struct stay_pack *a = make_pack('a');
    struct stay_pack *b = make_pack('b');
    const struct stay_pack *packs[] = {a, b};
    struct stay_err err = {0};

    (void)state;
    build_on(b, 1, a, 2);
    build_on(b, 1, b, 0);
    assert_ok(stay_index_encode(&object, packs, 2, &err), err);
    assert_ok(stay_index_decode(index, object.data, object.len, &err), err);
    stay_index_sort(index);
    assert_bases(index);
    free_pack(a);
    free_pack(b);
}

static void bases_survive_the_local_cache(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = make_index();
    stay_auto(stay_index_free) struct stay_index *mapped = NULL;
    stay_auto_str char *folder = NULL;
    struct stay_pack *more = make_pack('c');
    struct stay_err err = {0};
    size_t covered;

    (void)state;
    assert_ok(stay_fs_make_scratch(&folder, "/tmp/backstay-references-", &err), err);
    stay_auto_str char *path = stay_strf("%s/index", folder);
    assert_ok(stay_index_save(index, path, &err), err);
    assert_int_equal(stay_index_map(&mapped, path, NULL, 0, NULL, &covered), 0);
    assert_bases(mapped);
    stay_index_add(mapped, more); /* copies the tables out of the mapping */
    size_t n;
    const struct stay_index_frame *frames = stay_index_frames(mapped, &n);
    (void)stay_index_bases(mapped, &frames[FRAMES + 1], &n);
    assert_int_equal(n, 2);
    free_pack(more);
    assert_ok(stay_fs_remove_tree(folder, &err), err);
}

static void what_a_frame_is_built_on_is_named_with_it(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = make_index();
    stay_auto(stay_snapshot_free) struct stay_snapshot *snapshot = stay_new(struct stay_snapshot);
    unsigned char used[2 * FRAMES] = {[FRAMES + 1] = 1};

    (void)state;
    stay_references_add(snapshot, index, used);
    assert_int_equal(snapshot->packs.n, 2);
    const struct stay_snapshot_pack *a = &snapshot->packs.items[0];
    const struct stay_snapshot_pack *b = &snapshot->packs.items[1];
    assert_int_equal(a->frames.n, 2);
    assert_int_equal(a->frames.items[0].first, 0);
    assert_int_equal(a->frames.items[1].first, 2);
    assert_int_equal(a->frames.items[1].bases.n, 1);
    assert_int_equal(b->frames.n, 2);
    assert_int_equal(b->frames.items[1].first, 1);
    assert_int_equal(b->frames.items[1].bases.n, 2);
    assert_int_equal(b->frames.items[1].bases.items[0].number, 2);
}

static void a_frame_that_is_built_on_others_is_not_decoded(void **state)
{
    stay_auto(stay_index_free) struct stay_index *index = make_index();
    stay_auto(stay_compressor_free) struct stay_compressor *compressor = stay_compressor_new(1);
    stay_auto_buf struct stay_buf scratch = {0};
    struct stay_err err = {0};
    const char *tar;
    size_t n;

    (void)state;
    const struct stay_frame_info info =
        stay_index_frame_info(index, &stay_index_frames(index, &n)[FRAMES + 1]);
    assert_int_equal(stay_frame_decode(compressor, &info, "", &scratch, &tar, &err), -1);
    assert_error(err, STAY_ERR_CONFIG,
                 "a frame is built on 2 others, which this version cannot decode: use a newer "
                 "backstay");
}

/* ---- check */

static int send_one(struct backstay_sink *sink, void *ctx)
{
    (void)ctx;
    return send_folder(sink, "") || send_file(sink, "file", "content", 7) ? -1 : 0;
}

static char *only_object(struct rig *rig, const char *prefix)
{
    stay_auto_dest_list struct stay_dest_list list = {0};

    assert_int_equal(stay_dest_list(rig->stores[0]->dest, prefix, &list, NULL), 0);
    assert_int_equal(list.n, 1);
    return stay_strdup(list.items[0].name);
}

static void read_pack(struct rig *rig, struct stay_pack *out)
{
    stay_auto(stay_compressor_free) struct stay_compressor *compressor = stay_compressor_new(1);
    stay_auto_buf struct stay_buf data = {0};
    stay_auto_str char *name = only_object(rig, "packs/");
    struct stay_id id;

    assert_int_equal(stay_pack_parse_name(&id, name), 0);
    assert_int_equal(stay_dest_get_all(rig->stores[0]->dest, name, STAY_PACK_MAX, &data, NULL), 0);
    assert_ok(stay_pack_read(out, &id, data.data, data.len, compressor, &rig->err), rig->err);
}

/* Puts @pack's description into the place of the only index object. */
static void replace_index(struct rig *rig, const struct stay_pack *pack)
{
    stay_auto(stay_digest_free) struct stay_digest *digest = stay_digest_new();
    stay_auto_buf struct stay_buf object = {0};
    stay_auto_str char *old = only_object(rig, "index/");
    char hex[STAY_ID_HEX + 1];
    struct stay_id id;

    assert_int_equal(stay_dest_remove(rig->stores[0]->dest, old, NULL), 0);
    assert_ok(stay_index_encode(&object, &pack, 1, &rig->err), rig->err);
    stay_digest_of(digest, object.data, object.len, &id);
    stay_auto_str char *name = stay_strf("index/%s", stay_id_hex(hex, &id));
    assert_ok(stay_dest_put(rig->stores[0]->dest, name, object.data, object.len, &rig->err),
              rig->err);
}

static bool finds(const struct stay_check_result *result, const char *text)
{
    for (size_t i = 0; i < result->findings.n; i++)
        if (strcmp(result->findings.items[i].text, text) == 0)
            return true;
    return false;
}

/* Checks a repository whose first frame says that it is built on @base. */
static void check_with_base(const struct stay_frame_base *base, const char *expected)
{
    struct rig *rig = new_rig(1);
    struct script script = {.backup = send_one};
    struct stay_backup_result backup;
    struct stay_check_result result;
    struct stay_pack pack = {0};

    assert_ok(rig_backup(rig, &script, &backup), rig->err);
    read_pack(rig, &pack);
    *stay_vec_push(&pack.frames.items[0].bases) = *base;
    replace_index(rig, &pack);
    const struct stay_check_options options = {
        .repository = rig->repositories[0], .threads = 1, .scratch = rig->folder};
    assert_ok(stay_check(&options, &result, &rig->err), rig->err);
    assert_true(result.n_damage > 0);
    assert_true(finds(&result, expected));
    stay_check_result_free(&result);
    stay_pack_free(&pack);
    free_rig(rig);
}

static void check_notices_a_base_that_is_missing(void **state)
{
    const struct stay_frame_base nowhere = {.number = 3};

    (void)state;
    check_with_base(&nowhere, "frame 0 is built on a frame that cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bases_survive_index_objects),
        cmocka_unit_test(bases_survive_the_local_cache),
        cmocka_unit_test(what_a_frame_is_built_on_is_named_with_it),
        cmocka_unit_test(a_frame_that_is_built_on_others_is_not_decoded),
        cmocka_unit_test(check_notices_a_base_that_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
