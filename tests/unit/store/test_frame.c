/* tests/unit/store/test_frame.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * frame: chunks in, stored bytes, chunks out.
 */
#include "store/frame.h"

#include "unit/store/packs.h"

struct fixture {
    struct stay_compressor *compressor;
    struct stay_digest *digest;
    struct stay_frame frame;
    struct stay_buf scratch;
    struct stay_buf back;
    struct stay_err err;
};

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    fixture->compressor = stay_compressor_new(STAY_COMPRESS_LEVEL);
    fixture->digest = stay_digest_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_compressor_free(fixture->compressor);
    stay_digest_free(fixture->digest);
    stay_frame_free(&fixture->frame);
    stay_buf_free(&fixture->scratch);
    stay_buf_free(&fixture->back);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, const void *data, size_t len)
{
    struct stay_id id;

    stay_digest_of(fixture->digest, data, len, &id);
    stay_frame_add(&fixture->frame, &id, data, len);
}

/* Encodes, decodes and reads the chunk list of @fixture->frame. */
static void round_trip(struct fixture *fixture, bool dense, struct stay_frame_info *info,
                       const char **tar)
{
    const void *data;
    size_t len;

    assert_ok(stay_frame_encode(&fixture->frame, fixture->compressor, dense, &fixture->scratch,
                                &data, &len, &fixture->err),
              fixture->err);
    *info = (struct stay_frame_info){.stored = fixture->frame.info.stored,
                                     .raw = fixture->frame.info.raw,
                                     .codec = fixture->frame.info.codec};
    assert_int_equal(len, info->stored);
    assert_ok(
        stay_frame_decode(fixture->compressor, info, data, &fixture->back, tar, &fixture->err),
        fixture->err);
    assert_ok(stay_frame_read_chunks(info, *tar, &fixture->err), fixture->err);
}

static void chunks_come_back_with_their_places(void **state)
{
    struct fixture *fixture = *state;
    struct stay_random random = {1};
    struct stay_frame_info info;
    const char *tar;

    add(fixture, "1", 1);
    make_frame(&fixture->frame, &random, 50);
    round_trip(fixture, false, &info, &tar);
    const struct stay_frame_info *made = &fixture->frame.info;
    assert_int_equal(info.codec, STAY_CODEC_ZSTD);
    assert_true(info.stored < info.raw);
    assert_int_equal(info.chunks.n, 51);
    for (size_t i = 0; i < info.chunks.n; i++) {
        const struct stay_frame_chunk *chunk = &info.chunks.items[i];
        struct stay_id sum;
        assert_memory_equal(chunk, &made->chunks.items[i], sizeof *chunk);
        stay_digest_of(fixture->digest, tar + chunk->offset, chunk->bytes, &sum);
        assert_true(stay_id_equal(&sum, &chunk->id));
    }
    stay_frame_info_free(&info);
}

static void a_chunk_of_nothing_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct stay_frame_info info;

    add(fixture, "", 0);
    stay_frame_close(&fixture->frame);
    info = (struct stay_frame_info){.raw = fixture->frame.info.raw};
    assert_int_equal(stay_frame_read_chunks(&info, fixture->frame.tar.data, &fixture->err), -1);
    assert_error(fixture->err, STAY_ERR_CORRUPT, "a chunk has a size that none can have");
    stay_frame_info_free(&info);
}

static void the_length_that_was_foretold_is_the_length(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "12345", 5);
    size_t foretold = stay_frame_with(&fixture->frame, 513);
    char data[513] = "";
    add(fixture, data, sizeof data);
    stay_frame_close(&fixture->frame);
    assert_int_equal(fixture->frame.tar.len, foretold);
    assert_int_equal(fixture->frame.info.raw, foretold);
}

static void what_gains_nothing_is_stored_as_it_is(void **state)
{
    enum { LEN = 300000 };
    struct fixture *fixture = *state;
    stay_auto_free char *noise = stay_malloc(LEN);
    struct stay_random random = {2};
    struct stay_frame_info info;
    const char *tar;

    stay_random_fill(&random, noise, LEN);
    add(fixture, noise, LEN);
    stay_frame_close(&fixture->frame);
    for (int dense = 0; dense < 2; dense++) {
        round_trip(fixture, dense, &info, &tar);
        assert_int_equal(info.codec, STAY_CODEC_RAW);
        assert_int_equal(info.stored, info.raw);
        assert_ptr_equal(tar, fixture->frame.tar.data);
        stay_frame_info_free(&info);
    }
}

static void what_looks_dense_and_is_not_is_compressed(void **state)
{
    enum { LEN = 300000 };
    struct fixture *fixture = *state;
    stay_auto_free char *text = stay_calloc(LEN, 1);
    struct stay_frame_info info;
    const char *tar;

    add(fixture, text, LEN);
    stay_frame_close(&fixture->frame);
    round_trip(fixture, true, &info, &tar);
    assert_int_equal(info.codec, STAY_CODEC_ZSTD);
    stay_frame_info_free(&info);
}

static void an_emptied_frame_begins_anew(void **state)
{
    struct fixture *fixture = *state;
    struct stay_frame_info info;
    const char *tar;

    add(fixture, "first", 5);
    stay_frame_close(&fixture->frame);
    stay_frame_reset(&fixture->frame);
    add(fixture, "second", 6);
    stay_frame_close(&fixture->frame);
    round_trip(fixture, false, &info, &tar);
    assert_int_equal(info.chunks.n, 1);
    assert_memory_equal(tar + info.chunks.items[0].offset, "second", 6);
    stay_frame_info_free(&info);
}

static void sizes_that_no_frame_has_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct stay_frame_info info = {.stored = 10, .raw = STAY_FRAME_RAW_MAX + 1};
    const char *tar;

    assert_int_equal(stay_frame_decode(fixture->compressor, &info, "0123456789", &fixture->back,
                                       &tar, &fixture->err),
                     -1);
    assert_error(fixture->err, STAY_ERR_CORRUPT,
                 "a frame of 67108865 bytes is larger than any can be");
    assert_int_equal(fixture->back.cap, 0);
    info.raw = 11;
    assert_int_equal(stay_frame_decode(fixture->compressor, &info, "0123456789", &fixture->back,
                                       &tar, &fixture->err),
                     -1);
    assert_error(fixture->err, STAY_ERR_CORRUPT, "a raw frame has two different sizes");
    info.codec = STAY_CODEC_ZSTD;
    assert_int_equal(stay_frame_decode(fixture->compressor, &info, "0123456789", &fixture->back,
                                       &tar, &fixture->err),
                     -1);
    assert_error(fixture->err, STAY_ERR_CORRUPT, "decompress: Unknown frame descriptor");
}

static void a_chunk_must_be_named_by_a_hash(void **state)
{
    struct fixture *fixture = *state;
    struct stay_frame_info info = {0};

    add(fixture, "x", 1);
    stay_frame_close(&fixture->frame);
    stay_ustar_header((unsigned char *)fixture->frame.tar.data, "../../etc/passwd", 1);
    info.raw = (uint32_t)fixture->frame.tar.len;
    assert_int_equal(stay_frame_read_chunks(&info, fixture->frame.tar.data, &fixture->err), -1);
    assert_error(fixture->err, STAY_ERR_CORRUPT, "a chunk is not named by a SHA-256");
    stay_frame_info_free(&info);
}

static void names_and_codecs_are_as_the_format_says(void **state)
{
    char name[STAY_FRAME_NAME_MAX];
    enum stay_codec codec;

    (void)state;
    assert_string_equal(stay_frame_name(name, 12, STAY_CODEC_ZSTD), "000012.tar.zst");
    assert_string_equal(stay_frame_name(name, 999999, STAY_CODEC_RAW), "999999.tar");
    for (int i = 0; i < STAY_CODECS; i++) {
        assert_int_equal(stay_codec_parse(stay_codec_name((enum stay_codec)i), &codec), 0);
        assert_int_equal(codec, i);
    }
    assert_int_equal(stay_codec_parse("lzma", &codec), -1);
}

int main(void)
{
#define WITH_FRAME(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FRAME(chunks_come_back_with_their_places),
        WITH_FRAME(a_chunk_of_nothing_is_refused),
        WITH_FRAME(the_length_that_was_foretold_is_the_length),
        WITH_FRAME(what_gains_nothing_is_stored_as_it_is),
        WITH_FRAME(what_looks_dense_and_is_not_is_compressed),
        WITH_FRAME(an_emptied_frame_begins_anew),
        WITH_FRAME(sizes_that_no_frame_has_are_refused),
        WITH_FRAME(a_chunk_must_be_named_by_a_hash),
        WITH_FRAME(names_and_codecs_are_as_the_format_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
