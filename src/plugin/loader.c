/* src/plugin/loader.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stay_loader {
    char *folder;
    STAY_VEC(struct stay_loaded) loaded;
};

static const char *const kind_names[] = {
    [BACKSTAY_SOURCE] = "source",
    [BACKSTAY_DESTINATION] = "destination",
};

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where the plugins are as seen from the running program: "plugins" beside its folder (a build tree),
 * or where an installation of any prefix has them. NULL: in neither place. */
static char *folder_beside_program(void)
{
    static const char *const places[] = {"plugins", BACKSTAY_PLUGIN_SUBDIR};
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    if (len <= 0)
        return NULL;
    program[len] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL)
            return NULL;
        *slash = '\0';
    }
    for (size_t i = 0; i < STAY_COUNT(places); i++) {
        stay_auto_str char *folder = stay_strf("%s/%s", program, places[i]);
        if (is_folder(folder))
            return stay_steal(&folder);
    }
    return NULL;
}

static char *default_folder(void)
{
    const char *chosen = secure_getenv("BACKSTAY_PLUGIN_DIR");

    if (chosen && *chosen)
        return stay_strdup(chosen);
    char *beside = folder_beside_program();
    return beside ? beside : stay_strdup(BACKSTAY_PLUGIN_DIR);
}

struct stay_loader *stay_loader_new(const char *folder)
{
    struct stay_loader *loader = stay_new(struct stay_loader);

    loader->folder = folder ? stay_strdup(folder) : default_folder();
    return loader;
}

void stay_loader_free(struct stay_loader *loader)
{
    if (loader == NULL)
        return;
    for (size_t i = 0; i < loader->loaded.n; i++)
        free(loader->loaded.items[i].path);
    stay_vec_free(&loader->loaded);
    free(loader->folder);
    free(loader);
}

const char *stay_loader_folder(const struct stay_loader *loader)
{
    return loader->folder;
}

/* A plugin runs with all our rights, so only root and the caller may decide what it is. */
static int check_trust(const char *what, const char *path, const struct stat *st,
                       struct stay_err *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return stay_fail(err, STAY_ERR_CONFIG,
                         "%s %s belongs to uid %u, neither to root nor to the caller (uid %u): "
                         "whoever owns it could run code as the caller; chown it to root",
                         what, path, (unsigned)st->st_uid, (unsigned)geteuid());
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return stay_fail(err, STAY_ERR_CONFIG,
                         "%s %s can be written by others than its owner (mode %04o): "
                         "run chmod go-w on it",
                         what, path, (unsigned)(st->st_mode & 07777));
    return 0;
}

static int check_folder(const struct stay_loader *loader, struct stay_err *err)
{
    struct stat st;

    if (stat(loader->folder, &st) != 0) {
        (void)stay_fail_errno(err, STAY_ERR_CONFIG, "look into plugin folder %s", loader->folder);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return stay_fail(err, STAY_ERR_CONFIG, "plugin folder %s is not a folder", loader->folder);
    return check_trust("plugin folder", loader->folder, &st, err);
}

static int check_option(const char *path, const struct backstay_option *option, uint32_t i,
                        struct stay_err *err)
{
    if (option == NULL || !BACKSTAY_HAS(option, help) || option->name == NULL)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s: row %u of its option table is smaller than ABI %u asks for",
                         path, i, BACKSTAY_ABI);
    if (option->type < BACKSTAY_OPTION_STRING || option->type > BACKSTAY_OPTION_PATH)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s: option `%s` has type %u, which this version does not know; "
                         "the plugin may need a newer Backstay",
                         path, option->name, option->type);
    return 0;
}

static int check_operations(const char *path, const struct backstay_plugin *plugin,
                            struct stay_err *err)
{
    bool whole = plugin->kind == BACKSTAY_SOURCE
                     ? plugin->source && BACKSTAY_HAS(plugin->source, open) && plugin->source->open
                     : plugin->destination && BACKSTAY_HAS(plugin->destination, open) &&
                           plugin->destination->open;

    if (!whole)
        return stay_fail(err, STAY_ERR_CONFIG, "plugin %s: it offers no function to open a %s",
                         path, kind_names[plugin->kind]);
    for (uint32_t i = 0; i < plugin->n_options; i++)
        if (plugin->options == NULL || check_option(path, plugin->options[i], i, err) < 0)
            return -1;
    return 0;
}

static int check_plugin(const char *path, const struct backstay_plugin *plugin,
                        enum backstay_plugin_kind kind, const char *name, struct stay_err *err)
{
    if (plugin == NULL)
        return stay_fail(err, STAY_ERR_CONFIG, "plugin %s: its function %s returned nothing", path,
                         BACKSTAY_SYMBOL);
    if (!BACKSTAY_HAS(plugin, abi))
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s: its description is %u bytes, too small to hold its ABI", path,
                         plugin->size);
    if (plugin->abi != BACKSTAY_ABI)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s was built for plugin ABI %u, and this version speaks ABI %u: "
                         "build or install the plugin for this version",
                         path, plugin->abi, BACKSTAY_ABI);
    if (!BACKSTAY_HAS(plugin, destination))
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s: its description is %u bytes, ABI %u asks for at least %zu",
                         path, plugin->size, BACKSTAY_ABI,
                         offsetof(struct backstay_plugin, destination) + sizeof(void *));
    if (plugin->kind != kind)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s is named like a %s but is of kind %u: its file name must be "
                         "KIND-NAME.so",
                         path, kind_names[kind], plugin->kind);
    if (plugin->name == NULL || strcmp(plugin->name, name) != 0)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s calls itself `%s`, a name that is taken by %s-%s.so", path,
                         plugin->name ? plugin->name : "", kind_names[kind],
                         plugin->name ? plugin->name : "");
    return check_operations(path, plugin, err);
}

static int load(struct stay_loader *loader, enum backstay_plugin_kind kind, const char *name,
                const char *path, struct stay_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return stay_fail_errno(err, STAY_ERR_CONFIG, "look at plugin %s", path);
    if (check_trust("plugin", path, &st, err) < 0)
        return -1;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return stay_fail(err, STAY_ERR_CONFIG, "load plugin %s: %s", path, dlerror());
    void *symbol = dlsym(handle, BACKSTAY_SYMBOL);
    if (symbol == NULL)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "plugin %s has no function %s: it is not a plugin of Backstay", path,
                         BACKSTAY_SYMBOL);
    backstay_plugin_fn *describe;
    memcpy(&describe, &symbol, sizeof describe);
    const struct backstay_plugin *plugin = describe();
    if (check_plugin(path, plugin, kind, name, err) < 0)
        return -1;
    *stay_vec_push(&loader->loaded) =
        (struct stay_loaded){.plugin = plugin, .path = stay_strdup(path)};
    return 0;
}

static const struct backstay_plugin *find(const struct stay_loader *loader,
                                          enum backstay_plugin_kind kind, const char *name)
{
    for (size_t i = 0; i < loader->loaded.n; i++) {
        const struct backstay_plugin *plugin = loader->loaded.items[i].plugin;
        if (plugin->kind == kind && strcmp(plugin->name, name) == 0)
            return plugin;
    }
    return NULL;
}

/* The plugin's name in the file name KIND-NAME.so, for the caller to free, or NULL. */
static char *name_in_file(const char *file, enum backstay_plugin_kind kind)
{
    stay_auto_str char *prefix = stay_strf("%s-", kind_names[kind]);
    size_t before = strlen(prefix);
    size_t len = strlen(file);

    if (!stay_str_starts(file, prefix) || !stay_str_ends(file, ".so") || len <= before + 3)
        return NULL;
    return stay_memdup(file + before, len - before - 3);
}

struct names {
    char **items;
    size_t n;
    size_t cap;
};

static void names_free_auto(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    stay_vec_free(names);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_in_folder(const struct stay_loader *loader, enum backstay_plugin_kind kind,
                           struct names *out, struct stay_err *err)
{
    DIR *dir = opendir(loader->folder);
    const struct dirent *item;

    if (dir == NULL)
        return stay_fail_errno(err, STAY_ERR_CONFIG, "list plugin folder %s", loader->folder);
    while ((item = readdir(dir)) != NULL) {
        char *name = name_in_file(item->d_name, kind);
        if (name)
            *stay_vec_push(out) = name;
    }
    (void)closedir(dir);
    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, by_text);
    return 0;
}

static int fail_unknown(const struct stay_loader *loader, enum backstay_plugin_kind kind,
                        const char *name, struct stay_err *err)
{
    __attribute__((cleanup(names_free_auto))) struct names names = {0};
    stay_auto_buf struct stay_buf list = {0};

    if (names_in_folder(loader, kind, &names, err) < 0)
        return -1;
    if (names.n == 0)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "no plugin for %s type `%s`: there are no %s plugins in %s",
                         kind_names[kind], name, kind_names[kind], loader->folder);
    for (size_t i = 0; i < names.n; i++)
        stay_buf_printf(&list, "%s%s", i ? ", " : "", names.items[i]);
    const char *nearest = stay_str_nearest(name, (const char *const *)names.items, names.n);
    if (nearest)
        return stay_fail(err, STAY_ERR_CONFIG,
                         "unknown %s type `%s`, did you mean `%s`? In %s there are: %s",
                         kind_names[kind], name, nearest, loader->folder, list.data);
    return stay_fail(err, STAY_ERR_CONFIG, "unknown %s type `%s`; in %s there are: %s",
                     kind_names[kind], name, loader->folder, list.data);
}

int stay_loader_get(struct stay_loader *loader, enum backstay_plugin_kind kind, const char *name,
                    const struct backstay_plugin **out, struct stay_err *err)
{
    *out = find(loader, kind, name);
    if (*out)
        return 0;
    if (check_folder(loader, err) < 0)
        return -1;
    stay_auto_str char *path = stay_strf("%s/%s-%s.so", loader->folder, kind_names[kind], name);
    if (strchr(name, '/') || !stay_fs_exists(path))
        return fail_unknown(loader, kind, name, err);
    if (load(loader, kind, name, path, err) < 0)
        return -1;
    *out = find(loader, kind, name);
    return 0;
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct backstay_plugin *one = ((const struct stay_loaded *)a)->plugin;
    const struct backstay_plugin *two = ((const struct stay_loaded *)b)->plugin;

    if (one->kind != two->kind)
        return one->kind < two->kind ? -1 : 1;
    return strcmp(one->name, two->name);
}

static int load_kind(struct stay_loader *loader, enum backstay_plugin_kind kind,
                     struct stay_err *err)
{
    __attribute__((cleanup(names_free_auto))) struct names names = {0};
    const struct backstay_plugin *plugin;
    struct stay_err refused = {0};

    if (names_in_folder(loader, kind, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++)
        if (stay_loader_get(loader, kind, names.items[i], &plugin, &refused) < 0)
            stay_log(STAY_LOG_WARN, "%s", refused.text);
    return 0;
}

int stay_loader_all(struct stay_loader *loader, const struct stay_loaded **out, size_t *n,
                    struct stay_err *err)
{
    if (check_folder(loader, err) < 0 || load_kind(loader, BACKSTAY_SOURCE, err) < 0 ||
        load_kind(loader, BACKSTAY_DESTINATION, err) < 0)
        return -1;
    if (loader->loaded.n > 1)
        qsort(loader->loaded.items, loader->loaded.n, sizeof *loader->loaded.items,
              by_kind_and_name);
    *out = loader->loaded.items;
    *n = loader->loaded.n;
    return 0;
}
