/* plugins/source/media/place.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "place.h"

#include "below.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MOST_OPEN = 256 };

size_t media_parent_len(const char *path, size_t len)
{
    const char *slash = memrchr(path, '/', len);

    return slash ? (size_t)(slash - path) : 0;
}

const char *media_base_name(const char *path, size_t len)
{
    const char *slash = memrchr(path, '/', len);

    return slash ? slash + 1 : path;
}

static int open_folder(struct media_places *places, char *path)
{
    if (path[0] == '\0')
        return openat(places->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return media_open_below(places->root_fd, path, O_PATH, &places->step_by_step);
}

/* ---------------------------------------------------------------- the cache */

static struct media_place **slot_of(struct media_places *places, const char *path, size_t len)
{
    unsigned long hash = len;

    for (size_t i = 0; i < len; i++)
        hash = hash * 31 + (unsigned char)path[i];
    struct media_place **at = &places->slots[plug_mix(hash) % PLUG_COUNT(places->slots)];
    while (*at && ((*at)->len != len || memcmp((*at)->path, path, len) != 0))
        at = &(*at)->next;
    return at;
}

static void list_append(struct media_places *places, struct media_place *place)
{
    place->newer = NULL;
    place->older = places->newest;
    *(places->newest ? &places->newest->newer : &places->oldest) = place;
    places->newest = place;
}

static void list_remove(struct media_places *places, struct media_place *place)
{
    *(place->newer ? &place->newer->older : &places->newest) = place->older;
    *(place->older ? &place->older->newer : &places->oldest) = place->newer;
}

static void remove_place(struct media_places *places, struct media_place *place)
{
    struct media_place **slot = slot_of(places, place->path, place->len);

    *slot = place->next;
    list_remove(places, place);
    places->n--;
    close(place->fd);
    free(place);
}

static void close_the_oldest(struct media_places *places)
{
    struct media_place *at = places->oldest;

    while (at && places->n > MOST_OPEN) {
        struct media_place *newer = at->newer;
        if (at->refs == 0)
            remove_place(places, at);
        at = newer;
    }
}

void media_places_init(struct media_places *places, int root_fd)
{
    *places = (struct media_places){.root_fd = root_fd};
    pthread_mutex_init(&places->lock, NULL);
}

void media_places_done(struct media_places *places)
{
    while (places->oldest)
        remove_place(places, places->oldest);
    pthread_mutex_destroy(&places->lock);
}

/* Adds an opened folder, unless another thread was faster. Called with the lock held. */
static struct media_place *adopt(struct media_places *places, struct media_place *place)
{
    struct media_place **slot = slot_of(places, place->path, place->len);

    if (*slot) {
        close(place->fd);
        free(place);
        return *slot;
    }
    *slot = place;
    list_append(places, place);
    places->n++;
    return place;
}

struct media_place *media_places_open(struct media_places *places, const char *path, size_t len,
                                      bool fresh)
{
    pthread_mutex_lock(&places->lock);
    struct media_place *place = *slot_of(places, path, len);
    if (place == NULL) {
        pthread_mutex_unlock(&places->lock);
        place = plug_alloc(1, sizeof *place + len + 1);
        memcpy(place->path, path, len);
        place->len = len;
        place->fd = open_folder(places, place->path);
        if (place->fd < 0) {
            int error = errno;
            free(place);
            errno = error;
            return NULL;
        }
        pthread_mutex_lock(&places->lock);
        place = adopt(places, place);
    }
    place->fresh |= fresh;
    place->refs++;
    list_remove(places, place);
    list_append(places, place);
    close_the_oldest(places);
    pthread_mutex_unlock(&places->lock);
    return place;
}

void media_places_close(struct media_places *places, struct media_place *place)
{
    pthread_mutex_lock(&places->lock);
    place->refs--;
    pthread_mutex_unlock(&places->lock);
}

/* ---------------------------------------------------------------- what is made there */

void media_place_learn(struct media_places *places, struct media_place *place, int made_fd,
                       mode_t expected)
{
    char path[64];
    struct stat st;

    if (fstat(made_fd, &st) != 0)
        return;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", place->fd);
    bool inherits = getxattr(path, "system.posix_acl_default", NULL, 0) > 0;
    pthread_mutex_lock(&places->lock);
    if (!place->learned) {
        place->uid = st.st_uid;
        place->gid = st.st_gid;
        place->odd_modes = (st.st_mode & 07777) != expected;
        place->inherits_acl = inherits;
        __atomic_store_n(&place->learned, true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&places->lock);
}
