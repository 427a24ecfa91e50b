/* tests/unit/codec/test_chunker.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * chunker: where it cuts depends on the content and the key and on nothing else.
 */
#include "codec/chunker.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <string.h>

enum { KIB = 1024, MIB = 1024 * KIB };

/** The chunks of a text. */
struct cuts {
    STAY_VEC(size_t) ends;
    STAY_VEC(bool) dense;
};

static void free_cuts(struct cuts *cuts)
{
    stay_vec_free(&cuts->ends);
    stay_vec_free(&cuts->dense);
}

static struct stay_chunker_params fixed_params(unsigned char key)
{
    struct stay_chunker_params params;

    stay_chunker_defaults(&params);
    memset(params.key, key, sizeof params.key);
    params.plain = (struct stay_chunk_sizes){16 * KIB, 64 * KIB, 256 * KIB};
    params.dense = (struct stay_chunk_sizes){128 * KIB, 512 * KIB, 2 * MIB};
    return params;
}

/* Cuts @data with at most @window bytes in view at once, as a reader with a buffer does. */
static struct cuts cut_all(const struct stay_chunker *chunker, const char *data, size_t len,
                           size_t window)
{
    struct cuts cuts = {0};

    for (size_t at = 0; at < len;) {
        size_t view = STAY_MIN(window, len - at);
        bool last = at + view == len;
        bool dense = false;
        size_t n = stay_chunker_cut(chunker, data + at, view, last, &dense);
        assert_in_range(n, 1, view);
        at += n;
        *stay_vec_push(&cuts.ends) = at;
        *stay_vec_push(&cuts.dense) = dense;
    }
    return cuts;
}

static void assert_same_cuts(const struct cuts *a, const struct cuts *b)
{
    assert_int_equal(a->ends.n, b->ends.n);
    assert_memory_equal(a->ends.items, b->ends.items, a->ends.n * sizeof *a->ends.items);
    assert_memory_equal(a->dense.items, b->dense.items, a->dense.n * sizeof *a->dense.items);
}

/* Words out of a small vocabulary: uneven bytes, no two stretches alike. */
static char *make_text(size_t len, uint64_t seed)
{
    static const char *const words[] = {"order", "customer", "2026-11-22", "euro", ",",
                                        " ",     "\n",       "shipped",    "17",   "the"};
    struct stay_random random = {seed};
    stay_auto_buf struct stay_buf text = {0};

    while (text.len < len) {
        stay_buf_str(&text, words[stay_random_below(&random, STAY_COUNT(words))]);
        stay_buf_char(&text, ' ');
    }
    return stay_buf_take(&text);
}

static char *make_noise(size_t len, uint64_t seed)
{
    struct stay_random random = {seed};
    char *data = stay_malloc(len);

    stay_random_fill(&random, data, len);
    return data;
}

static void chunks_lie_between_the_least_and_the_largest_size(void **state)
{
    const struct stay_chunker_params params = fixed_params(1);
    stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
    stay_auto_free char *text = make_text(8 * MIB, 1);
    stay_auto_free char *noise = make_noise(16 * MIB, 2);
    struct cuts plain = cut_all(chunker, text, 8 * MIB, 8 * MIB);
    struct cuts dense = cut_all(chunker, noise, 16 * MIB, 16 * MIB);

    (void)state;
    for (size_t i = 0; i + 1 < plain.ends.n; i++)
        assert_in_range(plain.ends.items[i] - (i ? plain.ends.items[i - 1] : 0), 16 * KIB + 1,
                        256 * KIB);
    for (size_t i = 0; i + 1 < dense.ends.n; i++)
        assert_in_range(dense.ends.items[i] - (i ? dense.ends.items[i - 1] : 0), 128 * KIB + 1,
                        2 * MIB);
    /* Around the mean: 128 and 32 chunks where the sizes were exactly 64 and 512 KiB. */
    assert_in_range(plain.ends.n, 90, 170);
    assert_in_range(dense.ends.n, 20, 45);
    free_cuts(&plain);
    free_cuts(&dense);
}

static void random_bytes_are_dense_and_text_is_not(void **state)
{
    const struct stay_chunker_params params = fixed_params(1);
    stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
    stay_auto_free char *text = make_text(MIB, 3);
    stay_auto_free char *noise = make_noise(4 * MIB, 4);
    stay_auto_free char *zeros = stay_calloc(MIB, 1);
    struct cuts plain = cut_all(chunker, text, MIB, MIB);
    struct cuts dense = cut_all(chunker, noise, 4 * MIB, 4 * MIB);
    struct cuts same = cut_all(chunker, zeros, MIB, MIB);

    (void)state;
    for (size_t i = 0; i < plain.dense.n; i++)
        assert_false(plain.dense.items[i]);
    for (size_t i = 0; i < same.dense.n; i++)
        assert_false(same.dense.items[i]);
    for (size_t i = 0; i + 1 < dense.dense.n; i++)
        assert_true(dense.dense.items[i]);
    free_cuts(&plain);
    free_cuts(&dense);
    free_cuts(&same);
}

static void too_few_bytes_to_judge_count_as_plain(void **state)
{
    const struct stay_chunker_params params = fixed_params(1);
    stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
    stay_auto_free char *noise = make_noise(1 * KIB, 5);
    bool dense = true;

    (void)state;
    assert_int_equal(stay_chunker_cut(chunker, noise, 511, true, &dense), 511);
    assert_false(dense);
    assert_int_equal(stay_chunker_cut(chunker, noise, 1 * KIB, true, &dense), 1 * KIB);
    assert_true(dense);
}

static void cuts_do_not_depend_on_how_much_is_in_view(void **state)
{
    const struct stay_chunker_params params = fixed_params(2);
    stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
    static const size_t windows[] = {2 * MIB, 2 * MIB + 1, 3 * MIB + 4095, 6 * MIB, 20 * MIB};
    enum { LEN = 12 * MIB };
    stay_auto_free char *data = make_noise(LEN, 6);
    stay_auto_free char *text = make_text(LEN / 2, 7);

    (void)state;
    memcpy(data + LEN / 4, text, LEN / 2);
    struct cuts whole = cut_all(chunker, data, LEN, LEN);
    for (size_t i = 0; i < STAY_COUNT(windows); i++) {
        struct cuts pieces = cut_all(chunker, data, LEN, windows[i]);
        assert_same_cuts(&whole, &pieces);
        free_cuts(&pieces);
    }
    free_cuts(&whole);
}

static bool has_end(const struct cuts *cuts, size_t end)
{
    for (size_t i = 0; i < cuts->ends.n; i++)
        if (cuts->ends.items[i] == end)
            return true;
    return false;
}

/* How many chunks of @a end @shift bytes later in @b. */
static size_t count_shared(const struct cuts *a, const struct cuts *b, size_t shift)
{
    size_t shared = 0;

    for (size_t i = 0; i < a->ends.n; i++)
        shared += has_end(b, a->ends.items[i] + shift);
    return shared;
}

static void cuts_are_the_same_again_soon_after_an_insertion(void **state)
{
    enum { LEN = 8 * MIB, AT = 1 * MIB, EXTRA = 1237 };
    const struct stay_chunker_params params = fixed_params(3);
    stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
    char *(*const makers[])(size_t len, uint64_t seed) = {make_text, make_noise};

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(makers); i++) {
        stay_auto_free char *before = makers[i](LEN, 8);
        stay_auto_free char *extra = makers[i](EXTRA, 9);
        stay_auto_free char *after = stay_malloc(LEN + EXTRA);
        memcpy(after, before, AT);
        memcpy(after + AT, extra, EXTRA);
        memcpy(after + AT + EXTRA, before + AT, LEN - AT);
        struct cuts a = cut_all(chunker, before, LEN, LEN);
        struct cuts b = cut_all(chunker, after, LEN + EXTRA, LEN + EXTRA);
        size_t behind = 0;
        for (size_t k = 0; k < a.ends.n; k++)
            behind += a.ends.items[k] > AT;
        assert_in_range(count_shared(&a, &b, EXTRA), behind - 5, behind);
        free_cuts(&a);
        free_cuts(&b);
    }
}

static void the_same_key_cuts_the_same_and_another_key_elsewhere(void **state)
{
    const struct stay_chunker_params first = fixed_params(4);
    const struct stay_chunker_params second = fixed_params(5);
    stay_auto(stay_chunker_free) struct stay_chunker *one = stay_chunker_new(&first);
    stay_auto(stay_chunker_free) struct stay_chunker *again = stay_chunker_new(&first);
    stay_auto(stay_chunker_free) struct stay_chunker *other = stay_chunker_new(&second);
    stay_auto_free char *text = make_text(8 * MIB, 10);
    struct cuts a = cut_all(one, text, 8 * MIB, 8 * MIB);
    struct cuts b = cut_all(again, text, 8 * MIB, 8 * MIB);
    struct cuts c = cut_all(other, text, 8 * MIB, 8 * MIB);

    (void)state;
    assert_same_cuts(&a, &b);
    assert_in_range(count_shared(&a, &c, 0), 1, 5); /* the end of the text is one of them */
    free_cuts(&a);
    free_cuts(&b);
    free_cuts(&c);
}

static void more_is_asked_for_until_the_cut_is_certain(void **state)
{
    const struct stay_chunker_params params = fixed_params(6);
    stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
    stay_auto_free char *text = make_text(256 * KIB, 11);
    bool dense;

    (void)state;
    assert_int_equal(stay_chunker_max(chunker), 2 * MIB);
    assert_int_equal(stay_chunker_cut(chunker, text, 0, true, &dense), 0);
    assert_int_equal(stay_chunker_cut(chunker, text, 4095, false, &dense), 0);
    assert_int_equal(stay_chunker_cut(chunker, text, 256 * KIB - 1, false, &dense), 0);
    assert_int_not_equal(stay_chunker_cut(chunker, text, 256 * KIB, false, &dense), 0);
    assert_int_equal(stay_chunker_cut(chunker, text, 16 * KIB, true, &dense), 16 * KIB);
    stay_chunker_free(NULL);
}

static void a_buffer_of_the_largest_size_yields_a_chunk_for_all_valid_sizes(void **state)
{
    static const struct stay_chunk_sizes sizes[] = {
        {4096, 4096, 4096},
        {64, 64, 4096},
        {64, 4096, 4096},
        {1 * MIB, 1 * MIB, 1 * MIB},
        {16 * KIB, 2 * MIB, 2 * MIB},
        {4 * MIB, 4 * MIB, 4 * MIB},
    };
    stay_auto_free char *text = make_text(4 * MIB, 12);
    stay_auto_free char *noise = make_noise(4 * MIB, 13);

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(sizes); i++) {
        struct stay_chunker_params params = fixed_params(7);
        params.plain = params.dense = sizes[i];
        assert_true(stay_chunker_valid(&params));
        stay_auto(stay_chunker_free) struct stay_chunker *chunker = stay_chunker_new(&params);
        struct cuts plain = cut_all(chunker, text, 4 * MIB, sizes[i].max);
        struct cuts dense = cut_all(chunker, noise, 4 * MIB, sizes[i].max);
        free_cuts(&plain);
        free_cuts(&dense);
    }
}

static void sizes_that_cannot_work_are_not_valid(void **state)
{
    static const struct stay_chunk_sizes bad[] = {
        {0, 4096, 8192},  {63, 4096, 8192},        {8192, 4096, 16384},
        {64, 8192, 4096}, {64, 5000, 8192},        {64, 0, 8192},
        {64, 64, 4095},   {64, 4096, 4 * MIB + 1}, {64, 4096, UINT32_MAX},
    };
    struct stay_chunker_params params;

    (void)state;
    stay_chunker_defaults(&params);
    assert_true(stay_chunker_valid(&params));
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        stay_chunker_defaults(&params);
        params.plain = bad[i];
        assert_false(stay_chunker_valid(&params));
        stay_chunker_defaults(&params);
        params.dense = bad[i];
        assert_false(stay_chunker_valid(&params));
    }
}

static void each_new_repository_gets_a_key_of_its_own(void **state)
{
    struct stay_chunker_params a;
    struct stay_chunker_params b;

    (void)state;
    stay_chunker_defaults(&a);
    stay_chunker_defaults(&b);
    assert_memory_not_equal(a.key, b.key, sizeof a.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_lie_between_the_least_and_the_largest_size),
        cmocka_unit_test(random_bytes_are_dense_and_text_is_not),
        cmocka_unit_test(too_few_bytes_to_judge_count_as_plain),
        cmocka_unit_test(cuts_do_not_depend_on_how_much_is_in_view),
        cmocka_unit_test(cuts_are_the_same_again_soon_after_an_insertion),
        cmocka_unit_test(the_same_key_cuts_the_same_and_another_key_elsewhere),
        cmocka_unit_test(more_is_asked_for_until_the_cut_is_certain),
        cmocka_unit_test(a_buffer_of_the_largest_size_yields_a_chunk_for_all_valid_sizes),
        cmocka_unit_test(sizes_that_cannot_work_are_not_valid),
        cmocka_unit_test(each_new_repository_gets_a_key_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
