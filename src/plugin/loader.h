/* src/plugin/loader.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * loader: finds plugins in folders and loads them with dlopen(RTLD_NOW | RTLD_LOCAL), never to be
 * unloaded. Refuses, with a clear message: a folder or file that others than its owner can write or
 * that neither root nor the caller owns; a file without the symbol; another ABI; a struct that is
 * too small; a name that is already taken.
 *
 * Layer: plugin. Thread-safety: one thread.
 */
#pragma once

#include "base/base.h"

#include <backstay/plugin.h>

struct stay_loader;

/** One plugin that was found. */
struct stay_loaded {
    const struct backstay_plugin *plugin;
    char *path;
};

/**
 * A loader over @folder. NULL: the default: $BACKSTAY_PLUGIN_DIR, else "plugins" beside the
 * folder of the running program (a build tree) or where an installation with that folder as its bin
 * has them, else the folder configured at build. Loads nothing yet.
 */
struct stay_loader *stay_loader_new(const char *folder);

void stay_loader_free(struct stay_loader *loader);
STAY_DEFINE_AUTO(struct stay_loader, stay_loader_free)

/**
 * Loads the plugin @name of @kind from the file source-NAME.so or destination-NAME.so.
 *
 * @out valid as long as the loader.
 * @return 0, or -1: kind CONFIG naming what is there ("did you mean").
 */
STAY_CHECKED int stay_loader_get(struct stay_loader *loader, enum backstay_plugin_kind kind,
                                 const char *name, const struct backstay_plugin **out,
                                 struct stay_err *err);

/** Loads all; one that is refused is a warning in the log. *@out belongs to the loader. */
STAY_CHECKED int stay_loader_all(struct stay_loader *loader, const struct stay_loaded **out,
                                 size_t *n, struct stay_err *err);

/** The folder that is looked in. */
const char *stay_loader_folder(const struct stay_loader *loader);
