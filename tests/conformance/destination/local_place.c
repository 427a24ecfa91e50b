/* tests/conformance/destination/local_place.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "local_place.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int local_place_setup(void **state)
{
    struct local_place *place = stay_new(struct local_place);
    struct stay_err err = {0};

    *state = place;
    if (stay_fs_make_scratch(&place->folder, "/tmp/backstay-test-local-", &err) < 0)
        return -1;
    place->path = stay_strf("%s/repository", place->folder);
    return chmod(place->folder, 0755); /* other users get in, where a test becomes one */
}

int local_place_teardown(void **state)
{
    struct local_place *place = *state;
    struct stay_err err = {0};

    plugin_dest_close(&place->dest);
    if (place->mounted && umount2(place->path, MNT_DETACH) != 0 && errno != EINVAL)
        return -1;
    int rc = stay_fs_remove_tree(place->folder, &err);
    free(place->folder);
    free(place->path);
    free(place);
    return rc;
}

int local_place_open(struct local_place *place, bool create, const char *option, const char *text)
{
    const struct stay_setting settings[] = {{.name = "path", .text = place->path},
                                            {.name = option, .text = text}};
    const struct plugin_dest_like like = {"local", settings, option ? 2 : 1, &place->cancel,
                                          create};

    place->err = (struct backstay_error){.size = sizeof place->err};
    plugin_dest_close(&place->dest);
    return plugin_dest_open(&place->dest, &like, &place->err);
}

void local_place_must_open(struct local_place *place, const char *option, const char *text)
{
    assert_ok(local_place_open(place, true, option, text), place->err);
}

void local_place_mount(struct local_place *place, const char *options)
{
    assert_int_equal(mkdir(place->path, 0700), 0);
    if (mount("backstay-test", place->path, "tmpfs", 0, options) != 0)
        fail_msg("cannot mount a tmpfs on %s: %s; run the tests as root", place->path,
                 strerror(errno));
    place->mounted = true;
}

typedef int put_fn(void *self, const char *name, const void *data, size_t len,
                   struct backstay_error *err);

static int put(struct local_place *place, put_fn *fn, const char *name, char mark, size_t len)
{
    stay_auto_free char *data = stay_malloc(len);

    memset(data, mark, len);
    place->err = (struct backstay_error){.size = sizeof place->err};
    return fn(place->dest.self, name, data, len, &place->err);
}

int local_place_put(struct local_place *place, const char *name, char mark, size_t len)
{
    return put(place, place->dest.ops->put, name, mark, len);
}

int local_place_put_if_absent(struct local_place *place, const char *name, char mark, size_t len)
{
    return put(place, place->dest.ops->put_if_absent, name, mark, len);
}

bool local_place_holds(struct local_place *place, const char *name, char mark, size_t len)
{
    stay_auto_free char *data = stay_calloc(len + 1, 1);
    size_t got = 0;

    if (place->dest.ops->get(place->dest.self, name, 0, data, len + 1, &got, &place->err) != 0 ||
        got != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (data[i] != mark)
            return false;
    return true;
}

bool local_place_misses(struct local_place *place, const char *name)
{
    size_t got = 0;
    char byte;

    return place->dest.ops->get(place->dest.self, name, 0, &byte, 1, &got, &place->err) ==
           BACKSTAY_MISSING;
}

static int count_one(void *ctx, const struct backstay_object *object)
{
    (void)object;
    ++*(int *)ctx;
    return 0;
}

int local_place_count(struct local_place *place)
{
    int count = 0;

    if (place->dest.ops->list(place->dest.self, "", count_one, &count, &place->err) != 0)
        return -1;
    return count;
}

int local_place_unfinished(const struct local_place *place)
{
    stay_auto_str char *path = stay_strf("%s/tmp", place->path);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    int count = 0;

    if (folder == NULL)
        return 0;
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}
