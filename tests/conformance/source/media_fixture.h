/* tests/conformance/source/media_fixture.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * media_fixture: a folder to make trees in, and backups and restores of them in one call.
 *
 * Layer: tests. Uses: plugin.
 */
#pragma once

#include "plugin_source.h"
#include "support/cmocka.h"
#include "support/fake_feed.h"
#include "support/tree.h"

#include <sys/stat.h>

struct media_fixture {
    char *folder; /* of all that the test makes; removed afterwards */
    char *root;   /* folder/tree: what is backed up; exists, empty */
    char *target; /* folder/target: does not exist */
    struct stay_cancel cancel;
    struct stay_setting settings[8]; /* further options than path */
    size_t n_settings;
    unsigned jobs;
    bool as_nobody;            /* backups and restores run without root's rights */
    size_t piece_bytes;        /* of a restore; 0: as the feed has it */
    struct fake_counts counts; /* of the last backup */
    void (*hook)(void *ctx, const char *call, const char *path); /* of the next backup */
    void *hook_ctx;
};

/** cmocka's setup and teardown: *@state is a struct media_fixture. */
int media_fixture_make(void **state);
int media_fixture_remove(void **state);

#define MEDIA_TEST(function)                                                                       \
    cmocka_unit_test_setup_teardown(function, media_fixture_make, media_fixture_remove)

/** Sets an option. @text must outlive the fixture's use. */
void media_set(struct media_fixture *fixture, const char *name, const char *text);
void media_set_list(struct media_fixture *fixture, const char *name, const char *const *items,
                    size_t n);

/** Opens the plugin; the caller closes it. */
void media_plugin(struct media_fixture *fixture, struct plugin_source *plugin);

/** Backs up the tree; fails the test when that fails or the contract is broken. */
struct fake_snapshot *media_backup(struct media_fixture *fixture, const struct fake_snapshot *last);

/** Restores into fixture->target and returns what was reported, for fake_feed_free(). */
struct fake_feed *media_restore(struct media_fixture *fixture, const struct fake_snapshot *snapshot,
                                uint32_t overwrite);
void media_feed_free(struct fake_feed *feed);
STAY_DEFINE_AUTO(struct fake_feed, media_feed_free)

/** How many descriptors the process has: none may be left open. */
size_t media_open_files(void);

/** Asserts that the feed has no problem. */
void media_assert_no_problem(const struct fake_feed *feed);

/** Asserts that the tree and the target are equal. */
void media_assert_equal(struct media_fixture *fixture);

/** Asserts what became of @path: "restored", "kept", or the text of its problem. */
void media_assert_outcome(const struct fake_feed *feed, const char *path, const char *expected);

/** Asserts that no temporary name is left anywhere in the target. */
void media_assert_no_leftovers(struct media_fixture *fixture);

/** lstat(2) of folder/@path, which must be there. */
struct stat media_look(struct media_fixture *fixture, const char *path);

/** All paths of @snapshot, joined by spaces; the root is ".". The caller frees it. */
char *media_paths(const struct fake_snapshot *snapshot);

/** folder/@path, for the caller to free. */
char *media_path(const struct media_fixture *fixture, const char *path);
