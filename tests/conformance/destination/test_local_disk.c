/* tests/conformance/destination/test_local_disk.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * local: disks that are full, read-only or gone, and what check() says. Needs root for its mounts.
 */
#include "local_place.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DISK_BYTES = 1 << 20 };

static void a_full_disk_is_said_and_changes_nothing(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *text =
        stay_strf("write to %s: No space left on device (0 of 1048576 bytes are free); make room "
                  "there and run it again",
                  place->path);

    local_place_mount(place, "size=1m");
    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "packs/a", 'a', 300000), place->err);
    assert_int_equal(local_place_put(place, "packs/b", 'b', 800000), -1);
    assert_error(place->err, BACKSTAY_ERR_SPACE, text);
    assert_int_equal(local_place_put(place, "packs/a", 'b', 800000), -1);
    assert_error(place->err, BACKSTAY_ERR_SPACE, text);
    assert_int_equal(local_place_put_if_absent(place, "packs/c", 'c', 800000), -1);
    assert_error(place->err, BACKSTAY_ERR_SPACE, text);
    assert_int_equal(local_place_unfinished(place), 0);
    assert_int_equal(local_place_count(place), 1);
    assert_true(local_place_holds(place, "packs/a", 'a', 300000));
    assert_ok(local_place_put(place, "packs/b", 'b', 500000), place->err);
}

static void a_disk_without_inodes_is_full(void **state)
{
    struct local_place *place = *state;
    int stored = 0;
    char name[16];

    local_place_mount(place, "size=1m,nr_inodes=10");
    local_place_must_open(place, NULL, NULL);
    for (; stored < 20; stored++) {
        (void)snprintf(name, sizeof name, "o%d", stored);
        if (local_place_put(place, name, 'x', 1) != 0)
            break;
    }
    assert_int_equal(place->err.kind, BACKSTAY_ERR_SPACE);
    assert_true(stored > 2 && stored < 10);
    assert_int_equal(local_place_count(place), stored);
}

static uint64_t free_bytes(struct local_place *place)
{
    struct backstay_space space = {.size = sizeof space};

    assert_int_equal(place->dest.ops->space(place->dest.self, &space, &place->err), 0);
    assert_int_equal(space.known, 1);
    assert_int_equal(space.total_bytes, DISK_BYTES);
    return space.free_bytes;
}

static void check_min_free(struct local_place *place, const char *min_free, uint64_t keep)
{
    local_place_must_open(place, NULL, NULL);
    uint64_t all = free_bytes(place);
    local_place_must_open(place, "min_free", min_free);
    assert_int_equal(free_bytes(place), all - keep);
    stay_auto_str char *text =
        stay_strf("store b in %s: %" PRIu64 " bytes of %d are free, and min_free keeps %" PRIu64
                  " of them; make room there, or lower min_free",
                  place->path, all, DISK_BYTES, keep);
    assert_int_equal(local_place_put(place, "b", 'b', all - keep + 1), -1);
    assert_error(place->err, BACKSTAY_ERR_SPACE, text);
    assert_int_equal(local_place_put_if_absent(place, "b", 'b', all - keep + 1), -1);
    assert_error(place->err, BACKSTAY_ERR_SPACE, text);
    assert_int_equal(local_place_put(place, "b", 'b', 4UL * DISK_BYTES), -1);
    assert_error(place->err, BACKSTAY_ERR_SPACE, text);
    assert_true(local_place_misses(place, "b"));
}

static void min_free_stays_free(void **state)
{
    struct local_place *place = *state;

    local_place_mount(place, "size=1m");
    check_min_free(place, "512KiB", 512 << 10);
    check_min_free(place, "25%", DISK_BYTES / 4);
    check_min_free(place, "100000", 100000);
    local_place_must_open(place, "min_free", "256KiB");
    assert_ok(local_place_put(place, "a", 'a', 512 << 10), place->err);
    assert_int_equal(local_place_put(place, "b", 'b', 300 << 10), -1);
    assert_int_equal(place->err.kind, BACKSTAY_ERR_SPACE);
    local_place_must_open(place, "min_free", "2GiB");
    assert_int_equal(free_bytes(place), 0);
}

struct filler {
    struct local_place *place;
    atomic_int *stored;
    int number;
};

static void *fill(void *arg)
{
    struct filler *filler = arg;
    struct backstay_error err = {.size = sizeof err};
    stay_auto_free char *data = stay_calloc(100, 1024);
    char name[16];

    (void)snprintf(name, sizeof name, "o%d", filler->number);
    if (filler->place->dest.ops->put(filler->place->dest.self, name, data, 100 << 10, &err) == 0)
        (void)atomic_fetch_add(filler->stored, 1);
    return NULL;
}

static void threads_together_keep_min_free(void **state)
{
    enum { FILLERS = 10 };
    struct local_place *place = *state;
    struct filler fillers[FILLERS];
    pthread_t threads[FILLERS];
    atomic_int stored = 0;

    local_place_mount(place, "size=1m");
    local_place_must_open(place, NULL, NULL);
    uint64_t all = free_bytes(place);
    local_place_must_open(place, "min_free", "512KiB");
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = (struct filler){place, &stored, i};
        assert_int_equal(pthread_create(&threads[i], NULL, fill, &fillers[i]), 0);
    }
    for (int i = 0; i < FILLERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(atomic_load(&stored) >= 1 && atomic_load(&stored) <= 5);
    local_place_must_open(place, NULL, NULL);
    assert_true(free_bytes(place) >= 512 << 10);
    assert_true(free_bytes(place) < all);
}

static void a_read_only_disk_can_be_read(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *text =
        stay_strf("create a file in %s/tmp: Read-only file system; mount it writable", place->path);
    char *log = NULL;
    size_t log_len = 0;
    FILE *stream = open_memstream(&log, &log_len);

    local_place_mount(place, "size=1m");
    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "a", 'a', 10), place->err);
    plugin_dest_close(&place->dest);
    assert_int_equal(mount(NULL, place->path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    stay_log_setup(stream, STAY_LOG_TEXT, STAY_LOG_NOTE);
    assert_ok(local_place_open(place, false, NULL, NULL), place->err);
    stay_log_reset();
    (void)fclose(stream);
    assert_non_null(
        strstr(log, " is on a read-only file system: it can be restored from, not written to\n"));
    free(log);
    assert_true(local_place_holds(place, "a", 'a', 10));
    assert_int_equal(local_place_count(place), 1);
    assert_int_equal(local_place_put(place, "b", 'b', 10), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
}

static void expect_gone(struct local_place *place)
{
    stay_auto_str char *text =
        stay_strf("folder %s is no longer the one that was opened: was its disk unmounted, or "
                  "another one mounted over it? Mount it and run it again",
                  place->path);

    assert_int_equal(local_place_put(place, "a", 'b', 10), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
    assert_int_equal(local_place_put_if_absent(place, "b", 'b', 10), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
    assert_int_equal(place->dest.ops->remove(place->dest.self, "a", &place->err), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
    assert_int_equal(local_place_count(place), -1);
    assert_error(place->err, BACKSTAY_ERR_IO, text);
}

static void an_unmounted_disk_is_noticed_and_nothing_goes_below_it(void **state)
{
    struct local_place *place = *state;

    local_place_mount(place, "size=1m");
    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "a", 'a', 10), place->err);
    assert_int_equal(umount2(place->path, MNT_DETACH), 0);
    place->mounted = false;
    expect_gone(place);
    assert_int_equal(rmdir(place->path), 0); /* fails when something was written there */
    expect_gone(place);
}

static void a_disk_mounted_over_it_is_noticed(void **state)
{
    struct local_place *place = *state;

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "a", 'a', 10), place->err);
    assert_int_equal(mount("backstay-test", place->path, "tmpfs", 0, "size=1m"), 0);
    place->mounted = true;
    expect_gone(place);
}

static void folders_removed_behind_its_back_are_made_again(void **state)
{
    struct local_place *place = *state;
    stay_auto_str char *packs = stay_strf("%s/packs", place->path);
    stay_auto_str char *unfinished = stay_strf("%s/tmp", place->path);
    struct stay_err err = {0};

    local_place_must_open(place, NULL, NULL);
    assert_ok(local_place_put(place, "packs/ab/x", 'x', 1), place->err);
    assert_ok(stay_fs_remove_tree(packs, &err), err);
    assert_ok(stay_fs_remove_tree(unfinished, &err), err);
    assert_ok(local_place_put(place, "packs/ab/x", 'y', 1), place->err);
    assert_true(local_place_holds(place, "packs/ab/x", 'y', 1));
}

/* ---------------------------------------------------------------- check */

struct findings {
    struct backstay_report report;
    struct stay_buf text; /* "2 space: ...\n" */
};

static void take_finding(struct backstay_report *report, int severity, const char *subject,
                         const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

static void take_finding(struct backstay_report *report, int severity, const char *subject,
                         const char *fmt, ...)
{
    struct findings *findings = report->ctx;
    stay_auto_str char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    assert_true(vasprintf(&text, fmt, ap) >= 0);
    va_end(ap);
    stay_buf_printf(&findings->text, "%d %s: %s\n", severity, subject, text);
}

/* The caller frees the findings, one per line. */
static char *check(struct local_place *place)
{
    struct findings findings = {.report = {.size = sizeof findings.report}};

    findings.report.ctx = &findings;
    findings.report.finding = take_finding;
    assert_ok(place->dest.ops->check(place->dest.self, &findings.report, &place->err), place->err);
    return stay_buf_take(&findings.text);
}

static void checking_warns_of_memory_and_of_foreign_writers(void **state)
{
    struct local_place *place = *state;

    local_place_mount(place, "size=1m,mode=0777");
    local_place_must_open(place, NULL, NULL);
    stay_auto_str char *expected = stay_strf(
        "0 writing: %s is writable\n"
        "2 rights: others than its owner may write to %s and so remove backups; chmod go-w\n"
        "2 file system: %s is on tmpfs: it is memory and is gone after a restart\n"
        "0 space: %" PRIu64 " of 1048576 bytes may be used on %s\n",
        place->path, place->path, place->path, free_bytes(place), place->path);
    stay_auto_str char *findings = check(place);
    assert_string_equal(findings, expected);
}

static void checking_says_what_a_backup_would_fail_at(void **state)
{
    struct local_place *place = *state;

    local_place_mount(place, "size=1m");
    local_place_must_open(place, "min_free", "1GiB");
    stay_auto_str char *full = check(place);
    stay_auto_str char *full_text = stay_strf(
        "3 space: nothing may be written to %s: it is full, or has less free space than min_free\n",
        place->path);
    assert_non_null(strstr(full, full_text));
    assert_int_equal(mount(NULL, place->path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    stay_auto_str char *read_only = check(place);
    stay_auto_str char *read_only_text =
        stay_strf("3 writing: create a file in %s/tmp: Read-only file system; mount it writable\n",
                  place->path);
    assert_non_null(strstr(read_only, read_only_text));
}

static void checking_leaves_the_folder_as_it_was(void **state)
{
    struct local_place *place = *state;

    assert_int_equal(mkdir(place->path, 0700), 0);
    local_place_must_open(place, NULL, NULL);
    stay_auto_str char *findings = check(place);
    assert_non_null(strstr(findings, "is writable"));
    assert_int_equal(rmdir(place->path), 0);
}

int main(void)
{
#define IN_PLACE(test)                                                                             \
    cmocka_unit_test_setup_teardown(test, local_place_setup, local_place_teardown)
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_full_disk_is_said_and_changes_nothing),
        IN_PLACE(a_disk_without_inodes_is_full),
        IN_PLACE(min_free_stays_free),
        IN_PLACE(threads_together_keep_min_free),
        IN_PLACE(a_read_only_disk_can_be_read),
        IN_PLACE(an_unmounted_disk_is_noticed_and_nothing_goes_below_it),
        IN_PLACE(a_disk_mounted_over_it_is_noticed),
        IN_PLACE(folders_removed_behind_its_back_are_made_again),
        IN_PLACE(checking_warns_of_memory_and_of_foreign_writers),
        IN_PLACE(checking_says_what_a_backup_would_fail_at),
        IN_PLACE(checking_leaves_the_folder_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
