/* plugins/source/media/plugin.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of options, and what makes an instance of them.
 */
#include "media.h"

#include "mem.h"
#include "options.h"
#include "pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- options */

enum {
    OPT_PATH,
    OPT_EXCLUDE,
    OPT_INCLUDE,
    OPT_EXCLUDE_CACHES,
    OPT_ONE_FILE_SYSTEM,
    OPT_XATTRS,
    OPT_IGNORE_INODE,
    OPTIONS
};

static const struct backstay_option *const options[OPTIONS] = {
    [OPT_PATH] = PLUG_OPTION("path", BACKSTAY_OPTION_PATH, BACKSTAY_OPTION_REQUIRED, NULL,
                             "The folder to back up with everything below it"),
    [OPT_EXCLUDE] = PLUG_OPTION("exclude", BACKSTAY_OPTION_LIST, 0, NULL,
                                "Patterns, as in a gitignore file, of what is left out"),
    [OPT_INCLUDE] =
        PLUG_OPTION("include", BACKSTAY_OPTION_LIST, 0, NULL,
                    "Patterns: when given, only what matches one of them or lies below a "
                    "folder that does, with the folders above it"),
    [OPT_EXCLUDE_CACHES] =
        PLUG_OPTION("exclude_caches", BACKSTAY_OPTION_BOOL, 0, "true",
                    "Keep only the tag file of folders with a valid CACHEDIR.TAG"),
    [OPT_ONE_FILE_SYSTEM] = PLUG_OPTION("one_file_system", BACKSTAY_OPTION_BOOL, 0, "false",
                                        "Record mount points below the folder as empty folders"),
    [OPT_XATTRS] = PLUG_OPTION("xattrs", BACKSTAY_OPTION_BOOL, 0, "true",
                               "Record extended attributes, ACLs and capabilities"),
    [OPT_IGNORE_INODE] =
        PLUG_OPTION("ignore_inode", BACKSTAY_OPTION_BOOL, 0, "false",
                    "Recognise unchanged files without inode and device, for network "
                    "file systems where these are not stable"),
};

/* ---------------------------------------------------------------- instances */

const char *media_why(int error)
{
    const char *text = strerrordesc_np(error);

    return text ? text : "unknown error";
}

int media_kind(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return BACKSTAY_ERR_AUTH;
    case ENOSPC:
    case EDQUOT:
        return BACKSTAY_ERR_SPACE;
    case ENOENT:
    case ENOTDIR:
        return BACKSTAY_ERR_CONFIG;
    default:
        return BACKSTAY_ERR_IO;
    }
}

static int read_patterns(const struct backstay_host *host, unsigned option,
                         struct media_patterns **out, struct backstay_error *err)
{
    const struct backstay_value *value = plug_value(host, option);
    const char *why;
    size_t bad;

    if (media_patterns_new(out, value->items, value->n_items, &bad, &why) == 0)
        return 0;
    return host->fail(host, err, BACKSTAY_ERR_CONFIG, "%s pattern \"%s\": %s",
                      options[option]->name, value->items[bad], why);
}

static void media_close(void *self)
{
    struct media *media = self;

    if (media == NULL)
        return;
    media_patterns_free(media->exclude);
    media_patterns_free(media->include);
    free(media);
}

static int read_options(struct media *media, struct backstay_error *err)
{
    const struct backstay_host *host = media->host;

    media->path = plug_value(host, OPT_PATH)->text;
    if (media->path == NULL)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "the option \"path\" is missing");
    media->exclude_caches = plug_flag(host, OPT_EXCLUDE_CACHES, true);
    media->one_file_system = plug_flag(host, OPT_ONE_FILE_SYSTEM, false);
    media->xattrs = plug_flag(host, OPT_XATTRS, true);
    media->ignore_inode = plug_flag(host, OPT_IGNORE_INODE, false);
    if (read_patterns(host, OPT_EXCLUDE, &media->exclude, err) != 0 ||
        read_patterns(host, OPT_INCLUDE, &media->include, err) != 0)
        return -1;
    if (media_patterns_negate(media->include))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG,
                          "include patterns cannot begin with \"!\"; use exclude for that");
    return 0;
}

static int media_open(const struct backstay_host *host, void **self, struct backstay_error *err)
{
    struct media *media = plug_alloc(1, sizeof *media);

    media->host = host;
    if (read_options(media, err) != 0) {
        media_close(media);
        return -1;
    }
    *self = media;
    return 0;
}

/* ---------------------------------------------------------------- the plugin */

static const struct backstay_source source = {
    .size = sizeof source,
    .open = media_open,
    .close = media_close,
    .check = media_check,
    .backup = media_backup,
    .restore = media_restore,
    .probe = media_probe,
};

static const struct backstay_plugin plugin = {
    .size = sizeof plugin,
    .abi = BACKSTAY_ABI,
    .kind = BACKSTAY_SOURCE,
    .n_options = OPTIONS,
    .name = "media",
    .version = BACKSTAY_VERSION,
    .summary = "A directory tree: uploaded media, or any other files",
    .options = options,
    .source = &source,
};

const struct backstay_plugin *backstay_plugin(void)
{
    return &plugin;
}
