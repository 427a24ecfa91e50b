/* tests/conformance/source/media_fixture.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "media_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

int media_fixture_make(void **state)
{
    struct media_fixture *fixture = stay_new(struct media_fixture);
    struct stay_err err = {0};

    *state = fixture;
    fixture->jobs = 3;
    assert_ok(stay_fs_make_scratch(&fixture->folder, "/tmp/backstay-media-", &err), err);
    fixture->root = media_path(fixture, "tree");
    fixture->target = media_path(fixture, "target");
    assert_ok(stay_fs_mkdirs(fixture->root, 0755, &err), err);
    return 0;
}

int media_fixture_remove(void **state)
{
    struct media_fixture *fixture = *state;
    struct stay_err err = {0};
    int rc = stay_fs_remove_tree(fixture->folder, &err);

    free(fixture->folder);
    free(fixture->root);
    free(fixture->target);
    free(fixture);
    return rc;
}

char *media_path(const struct media_fixture *fixture, const char *path)
{
    return stay_strf("%s/%s", fixture->folder, path);
}

void media_set(struct media_fixture *fixture, const char *name, const char *text)
{
    fixture->settings[fixture->n_settings++] = (struct stay_setting){.name = name, .text = text};
}

void media_set_list(struct media_fixture *fixture, const char *name, const char *const *items,
                    size_t n)
{
    fixture->settings[fixture->n_settings++] =
        (struct stay_setting){.name = name, .items = items, .n_items = n};
}

void media_plugin(struct media_fixture *fixture, struct plugin_source *plugin)
{
    struct backstay_error err = {.size = sizeof err};
    struct stay_setting settings[STAY_COUNT(fixture->settings) + 1] = {
        {.name = "path", .text = fixture->root}};

    for (size_t i = 0; i < fixture->n_settings; i++)
        settings[i + 1] = fixture->settings[i];
    assert_ok(plugin_source_open(plugin, "media", settings, fixture->n_settings + 1, fixture->jobs,
                                 &fixture->cancel, &err),
              err);
}

size_t media_open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    (void)closedir(dir);
    return n;
}

/* Without the rights of root, where we have them; loading plugins needs them. */
static void drop_rights(const struct media_fixture *fixture)
{
    if (!fixture->as_nobody || geteuid() != 0)
        return;
    assert_int_equal(chown(fixture->folder, 65534, 65534), 0);
    assert_int_equal(seteuid(65534), 0);
}

static void take_rights_back(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

struct fake_snapshot *media_backup(struct media_fixture *fixture, const struct fake_snapshot *last)
{
    struct fake_snapshot *snapshot = fake_snapshot_new();
    struct backstay_error err = {.size = sizeof err};
    struct plugin_source plugin;
    struct fake_sink sink;

    media_plugin(fixture, &plugin);
    fake_sink_init(&sink, snapshot, last);
    sink.hook = fixture->hook;
    sink.hook_ctx = fixture->hook_ctx;
    size_t open_files = media_open_files();
    drop_rights(fixture);
    int r = plugin.ops->backup(plugin.self, &sink.abi, &err);
    take_rights_back();
    assert_ok(r, err);
    assert_int_equal(media_open_files(), open_files);
    fake_sink_finish(&sink, 0);
    if (sink.violations.len > 0)
        fail_msg("%s", sink.violations.data);
    fixture->counts = sink.counts;
    fixture->hook = NULL;
    fake_sink_free(&sink);
    plugin_source_close(&plugin);
    return snapshot;
}

struct fake_feed *media_restore(struct media_fixture *fixture, const struct fake_snapshot *snapshot,
                                uint32_t overwrite)
{
    const struct backstay_target target = {
        .size = sizeof target, .location = fixture->target, .overwrite = overwrite};
    struct backstay_error err = {.size = sizeof err};
    struct fake_feed *feed = stay_new(struct fake_feed);
    struct plugin_source plugin;

    media_plugin(fixture, &plugin);
    fake_feed_init(feed, snapshot);
    if (fixture->piece_bytes > 0)
        feed->piece_bytes = fixture->piece_bytes;
    size_t open_files = media_open_files();
    drop_rights(fixture);
    int r = plugin.ops->restore(plugin.self, &target, &feed->abi, &err);
    take_rights_back();
    assert_ok(r, err);
    assert_int_equal(media_open_files(), open_files);
    fake_feed_finish(feed, 0);
    if (feed->violations.len > 0)
        fail_msg("%s", feed->violations.data);
    plugin_source_close(&plugin);
    return feed;
}

void media_feed_free(struct fake_feed *feed)
{
    if (feed)
        fake_feed_free(feed);
    free(feed);
}

void media_assert_no_problem(const struct fake_feed *feed)
{
    const char *problem;

    if (fake_feed_problems(feed, &problem) > 0)
        fail_msg("%s", problem);
}

void media_assert_equal(struct media_fixture *fixture)
{
    stay_auto_buf struct stay_buf differences = {0};

    if (stay_tree_compare(fixture->root, fixture->target, &differences) > 0)
        fail_msg("%s", differences.data);
}

char *media_paths(const struct fake_snapshot *snapshot)
{
    struct stay_buf paths = {0};

    for (size_t i = 0; i < snapshot->entries.n; i++) {
        const struct backstay_entry *entry = &snapshot->entries.items[i]->entry;
        stay_buf_printf(&paths, "%s%s", i > 0 ? " " : "", entry->path_len > 0 ? entry->path : ".");
    }
    return stay_buf_take(&paths);
}

void media_assert_outcome(const struct fake_feed *feed, const char *path, const char *expected)
{
    const struct fake_outcome *outcome = fake_feed_outcome(feed, path);
    const char *was = outcome->problem ? outcome->problem
                      : outcome->kept  ? "kept"
                      : outcome->done  ? "restored"
                                       : "nothing";

    if (strcmp(was, expected) != 0)
        fail_msg("%s: %s, not %s", path, was, expected);
}

struct stat media_look(struct media_fixture *fixture, const char *path)
{
    stay_auto_str char *full = media_path(fixture, path);
    struct stat st;

    if (lstat(full, &st) != 0)
        fail_msg("%s: %s", full, strerror(errno));
    return st;
}

void media_assert_no_leftovers(struct media_fixture *fixture)
{
    stay_auto_str char *command =
        stay_strf("test -z \"$(find %s -name '.backstay-*')\"", fixture->target);

    assert_int_equal(system(command), 0);
}
