/* plugins/source/media/links.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "links.h"

#include "mem.h"

#include <pthread.h>
#include <stdlib.h>

enum state { OPEN, CLAIMED, SENT };

struct link {
    struct link *next;
    dev_t dev;
    ino_t ino;
    uint32_t done;    /* names that need it no more */
    uint32_t waiting; /* threads that hold on to it */
    enum state state;
    struct stat sent; /* the state whose content was sent */
};

struct media_links {
    pthread_mutex_t lock;
    pthread_cond_t settled;
    struct link **slots;
    size_t n_slots;
    size_t n;
};

struct media_links *media_links_new(void)
{
    struct media_links *links = plug_alloc(1, sizeof *links);

    pthread_mutex_init(&links->lock, NULL);
    pthread_cond_init(&links->settled, NULL);
    links->n_slots = 256;
    links->slots = plug_alloc(links->n_slots, sizeof(struct link *));
    return links;
}

void media_links_free(struct media_links *links)
{
    if (links == NULL)
        return;
    for (size_t i = 0; i < links->n_slots; i++) {
        while (links->slots[i]) {
            struct link *link = links->slots[i];
            links->slots[i] = link->next;
            free(link);
        }
    }
    free(links->slots);
    pthread_cond_destroy(&links->settled);
    pthread_mutex_destroy(&links->lock);
    free(links);
}

uint64_t media_links_group(const struct stat *st)
{
    /* One to one for the files of one device. */
    uint64_t group = plug_mix(plug_mix(st->st_dev + 1) ^ st->st_ino);

    return group ? group : 1;
}

static struct link **find(struct media_links *links, dev_t dev, ino_t ino)
{
    struct link **at = &links->slots[plug_mix(ino + dev) % links->n_slots];

    while (*at && ((*at)->ino != ino || (*at)->dev != dev))
        at = &(*at)->next;
    return at;
}

static void grow(struct media_links *links)
{
    struct link **old = links->slots;
    size_t n_old = links->n_slots;

    links->n_slots *= 4;
    links->slots = plug_alloc(links->n_slots, sizeof(struct link *));
    for (size_t i = 0; i < n_old; i++) {
        while (old[i]) {
            struct link *link = old[i];
            old[i] = link->next;
            struct link **to = find(links, link->dev, link->ino);
            link->next = NULL;
            *to = link;
        }
    }
    free(old);
}

static struct link *add(struct media_links *links, const struct stat *st)
{
    if (links->n >= links->n_slots)
        grow(links);
    struct link **at = find(links, st->st_dev, st->st_ino);
    struct link *link = plug_alloc(1, sizeof *link);
    *link = (struct link){.dev = st->st_dev, .ino = st->st_ino, .state = OPEN};
    *at = link;
    links->n++;
    return link;
}

static void name_is_done(struct media_links *links, const struct stat *st)
{
    struct link **at = find(links, st->st_dev, st->st_ino);
    struct link *link = *at;

    link->done++;
    if (link->done < st->st_nlink || link->waiting > 0 || link->state == CLAIMED)
        return;
    *at = link->next;
    free(link);
    links->n--;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int media_links_claim(struct media_links *links, const struct stat *st)
{
    int outcome = MEDIA_LINK_MINE;

    pthread_mutex_lock(&links->lock);
    struct link *link = *find(links, st->st_dev, st->st_ino);
    if (link == NULL)
        link = add(links, st);
    link->waiting++;
    while (link->state == CLAIMED)
        pthread_cond_wait(&links->settled, &links->lock);
    link->waiting--;
    /* Content of another state must not be recorded under this one's token. */
    if (link->state == SENT && same_state(&link->sent, st)) {
        outcome = MEDIA_LINK_SENT;
        name_is_done(links, st);
    } else {
        link->state = CLAIMED;
    }
    pthread_mutex_unlock(&links->lock);
    return outcome;
}

void media_links_settle(struct media_links *links, const struct stat *st, const struct stat *sent)
{
    pthread_mutex_lock(&links->lock);
    struct link *link = *find(links, st->st_dev, st->st_ino);
    link->state = sent ? SENT : OPEN;
    if (sent)
        link->sent = *sent;
    name_is_done(links, st);
    pthread_cond_broadcast(&links->settled);
    pthread_mutex_unlock(&links->lock);
}
