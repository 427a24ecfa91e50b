/* tests/crash/small.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "crash/small.h"

#include "support/cmocka.h"
#include "support/random.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the source */

/* Text that compresses as text does. */
static void set_text(struct stay_memory_source *files, const char *path, size_t len, uint64_t seed)
{
    static const char *const words[] = {"order ",  "item ", "price ", "customer ",
                                        "street ", "the ",  "blue ",  "shoes ",
                                        "of\n",    "and ",  "total ", "shipped "};
    struct stay_random random = {seed};
    stay_auto_buf struct stay_buf text = {0};

    while (text.len < len) {
        stay_buf_str(&text, words[stay_random_below(&random, STAY_COUNT(words))]);
        if (stay_random_below(&random, 4) == 0)
            stay_buf_u64(&text, stay_random_next(&random) >> 40);
    }
    stay_memory_source_set(files, path, text.data, len);
}

static void set_dense(struct stay_memory_source *files, const char *path, size_t len, uint64_t seed)
{
    struct stay_random random = {seed};
    stay_auto_free char *bytes = stay_malloc(len);

    stay_random_fill(&random, bytes, len);
    stay_memory_source_set(files, path, bytes, len);
}

static void make_first(struct stay_memory_source *files)
{
    for (unsigned i = 0; i < 12; i++) {
        stay_auto_str char *path = stay_strf("orders/%02u.txt", i);
        set_text(files, path, 40 + 37 * i, i);
    }
    set_text(files, "long.txt", 5000, 100);
    set_dense(files, "photos/1.jpg", 1500, 101);
    set_dense(files, "photos/2.jpg", 900, 102);
    set_text(files, "same/a.txt", 300, 103);
    set_text(files, "same/b.txt", 300, 103);
    stay_memory_source_set(files, "nothing", "", 0);
    stay_memory_source_set(files, "odd \xff\n name", "x", 1);
}

static void make_second(struct stay_memory_source *files)
{
    set_text(files, "orders/03.txt", 400, 200);
    set_text(files, "orders/20.txt", 700, 201);
    set_dense(files, "photos/3.jpg", 1100, 202);
    stay_memory_source_drop(files, "orders/05.txt");
}

static void make_third(struct stay_memory_source *files)
{
    set_text(files, "long.txt", 5600, 100);
    set_dense(files, "photos/renamed.jpg", 1500, 101);
    stay_memory_source_drop(files, "photos/1.jpg");
    set_text(files, "orders/21.txt", 250, 300);
}

struct stay_memory_source *small_files(const struct small *small, size_t number)
{
    static void (*const make[SMALL_SNAPSHOTS])(struct stay_memory_source *) = {
        make_first, make_second, make_third};
    struct stay_memory_source *files =
        number == 0 ? stay_memory_source_new() : stay_memory_source_copy(small->files[number - 1]);

    make[number](files);
    return files;
}

/* ---- the repository */

void small_quiet(void)
{
    FILE *silence = fopen("/dev/null", "we");

    assert_non_null(silence);
    stay_log_setup(silence, STAY_LOG_TEXT, STAY_LOG_ERROR);
}

void small_open(struct small *small)
{
    struct stay_chunker_params chunker = {
        .key = {7, 1, 8},
        .plain = {512, 1024, 4096},
        .dense = {512, 1024, 4096},
    };
    struct stay_err err = {0};

    *small = (struct small){0};
    assert_ok(stay_fs_make_scratch(&small->folder, "/tmp/backstay-small-", &err), err);
    small->memory = stay_memory_dest_new();
    small->dest = stay_dest_wrap("memory", stay_memory_dest_ops(), small->memory, NULL);
    assert_ok(stay_repository_init(small->dest, &chunker, stay_clock_system(), &err), err);
}

void small_close(struct small *small)
{
    struct stay_err err = {0};

    assert_ok(stay_fs_remove_tree(small->folder, &err), err);
    for (size_t i = 0; i < small->n_snapshots; i++)
        stay_memory_source_free(small->files[i]);
    stay_dest_free(small->dest);
    stay_memory_dest_free(small->memory);
    free(small->folder);
}

struct stay_memory_dest *small_copy(struct stay_memory_dest *memory)
{
    struct stay_memory_dest *copy = stay_memory_dest_new();
    size_t n;
    char **names = stay_memory_dest_names(memory, "", &n);

    for (size_t i = 0; i < n; i++) {
        stay_auto_buf struct stay_buf content = {0};
        assert_int_equal(stay_memory_dest_read(memory, names[i], &content), 0);
        stay_memory_dest_write(copy, names[i], content.data, content.len);
        free(names[i]);
    }
    free(names);
    return copy;
}

char *small_state(const struct small *small, const char *name)
{
    char *state = stay_strf("%s/%s", small->folder, name);

    assert_true(mkdir(state, 0700) == 0 || stay_fs_exists(state));
    return state;
}

void small_fill(struct small *small)
{
    stay_auto_str char *state = small_state(small, "state");

    for (size_t i = 0; i < SMALL_SNAPSHOTS; i++) {
        struct stay_backup_result result;
        struct stay_err err = {0};
        small->files[i] = small_files(small, i);
        small->n_snapshots++;
        assert_ok(small_backup(small->dest, small->files[i], state, &result, &err), err);
        memcpy(small->ids[i], result.id, sizeof small->ids[i]);
        memcpy(small->names[i], result.copies[0].snapshot, sizeof small->names[i]);
    }
}

int small_backup(struct stay_dest *dest, struct stay_memory_source *files, const char *state,
                 struct stay_backup_result *result, struct stay_err *err)
{
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("shop", "memory", stay_memory_source_ops(), files);
    const struct stay_backup_dest dests[] = {{.dest = dest, .name = stay_dest_name(dest)}};
    const struct stay_backup_options options = {
        .source = source,
        .dests = dests,
        .n_dests = 1,
        .state_dir = state,
        .level = 3,
        .threads = 1,
        .memory_limit = 64 << 20,
        .clock = stay_clock_system(),
    };

    return stay_backup(&options, result, err);
}

int small_check(struct stay_dest *dest, const char *scratch, struct stay_check_result *result,
                struct stay_err *err)
{
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;

    *result = (struct stay_check_result){0};
    if (stay_repository_open(&repository, dest, err) < 0)
        return -1;
    const struct stay_check_options options = {
        .repository = repository, .data_percent = 100, .threads = 1, .scratch = scratch};
    return stay_check(&options, result, err);
}

static void note_problems(struct small_restored *out, const struct stay_feed_result *counts)
{
    stay_auto_buf struct stay_buf text = {0};

    for (size_t i = 0; i < counts->n_problems; i++)
        stay_buf_printf(&text, "%s: %s\n", counts->problems[i].path, counts->problems[i].text);
    out->n_problems = counts->n_problems;
    out->problems = stay_buf_take(&text);
}

int small_restore(struct stay_dest *dest, const char *spec, struct stay_memory_source *files,
                  const char *scratch, struct small_restored *out, struct stay_err *err)
{
    stay_auto(stay_repository_free) struct stay_repository *repository = NULL;
    stay_auto(stay_view_free) struct stay_view *view = NULL;
    stay_auto(stay_source_free) struct stay_source *source =
        stay_source_wrap("shop", "memory", stay_memory_source_ops(), files);
    struct stay_restore_result result;

    *out = (struct small_restored){0};
    stay_memory_source_forget(files);
    if (stay_repository_open(&repository, dest, err) < 0 ||
        stay_view_open(&view, repository, spec, 1, scratch, err) < 0)
        return -1;
    const struct stay_restore_options options = {
        .repository = repository,
        .view = view,
        .source = source,
        .location = "memory",
        .threads = 1,
        .clock = stay_clock_system(),
    };
    int rc = stay_restore(&options, &result, err);
    out->missing_bytes = result.manifest_missing_bytes;
    note_problems(out, &result.counts);
    stay_restore_result_free(&result);
    return rc;
}

void small_restored_free(struct small_restored *restored)
{
    free(restored->problems);
}

/* ---- what holds always */

void small_assert_clean(struct stay_dest *dest, const char *scratch, const char *when)
{
    struct stay_check_result result;
    struct stay_err err = {0};

    if (small_check(dest, scratch, &result, &err) < 0)
        fail_msg("%s: check: %s", when, err.text);
    for (size_t i = 0; i < result.findings.n; i++)
        if (result.findings.items[i].kind != STAY_FINDING_NOTE)
            fail_msg("%s: check: %s: %s", when, result.findings.items[i].object,
                     result.findings.items[i].text);
    stay_check_result_free(&result);
}

void small_assert_restores(struct stay_dest *dest, const char *spec,
                           struct stay_memory_source *files, const char *scratch, const char *when)
{
    struct small_restored restored;
    struct stay_err err = {0};

    if (small_restore(dest, spec, files, scratch, &restored, &err) < 0)
        fail_msg("%s: restore of %s: %s", when, spec, err.text);
    if (restored.n_problems || restored.missing_bytes)
        fail_msg("%s: restore of %s: %s", when, spec, restored.problems);
    for (size_t i = 0; i < stay_memory_source_count(files); i++)
        if (stay_memory_source_restored(files, i) != STAY_MEMORY_SAME)
            fail_msg("%s: restore of %s: %s is not what it was", when, spec,
                     stay_memory_source_path(files, i));
    if (stay_memory_source_strangers(files))
        fail_msg("%s: restore of %s: more files than there were", when, spec);
    small_restored_free(&restored);
}
