/* tests/conformance/source/test_media.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The media source over a tree with every odd thing that a file system can hold.
 */
#include "plugin_source.h"
#include "suite.h"
#include "support/tree.h"

#include <string.h>

struct tree_source {
    struct plugin_source plugin;
    char *folder; /* of all that the test makes */
    char *root;
    unsigned targets;
};

static void media_open(struct suite_source *source)
{
    struct tree_source *tree = stay_new(struct tree_source);
    struct backstay_error err = {.size = sizeof err};
    struct stay_err why = {0};

    source->ctx = tree;
    assert_ok(stay_fs_make_scratch(&tree->folder, "/tmp/backstay-media-", &why), why);
    tree->root = stay_strf("%s/tree", tree->folder);
    assert_ok(stay_fs_mkdirs(tree->root, 0755, &why), why);
    stay_tree_make_odd(tree->root);
    stay_tree_settle();
    const struct stay_setting settings[] = {{.name = "path", .text = tree->root}};
    assert_ok(plugin_source_open(&tree->plugin, "media", settings, 1, 3, &source->cancel, &err),
              err);
    source->ops = tree->plugin.ops;
    source->self = tree->plugin.self;
}

static void media_close(struct suite_source *source)
{
    struct tree_source *tree = source->ctx;
    struct stay_err err = {0};

    plugin_source_close(&tree->plugin);
    assert_ok(stay_fs_remove_tree(tree->folder, &err), err);
    free(tree->root);
    free(tree->folder);
    free(tree);
}

static char *media_target(struct suite_source *source)
{
    struct tree_source *tree = source->ctx;

    return stay_strf("%s/target-%u", tree->folder, tree->targets++);
}

static bool media_exists(struct suite_source *source, const char *location)
{
    (void)source;
    return stay_fs_exists(location);
}

static void media_compare(struct suite_source *source, const char *location,
                          struct stay_buf *differences)
{
    struct tree_source *tree = source->ctx;

    (void)stay_tree_compare(tree->root, location, differences);
}

int main(void)
{
    static const struct suite_factory factory = {.open = media_open,
                                                 .close = media_close,
                                                 .target = media_target,
                                                 .exists = media_exists,
                                                 .compare = media_compare,
                                                 .knows_unchanged = true};

    return suite_run(&factory);
}
