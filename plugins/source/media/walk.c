/* plugins/source/media/walk.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "walk.h"

#include "folder.h"
#include "names.h"
#include "pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUN = 64 };

/* A listed part of a folder, shared by the runs over it; pins and holds the folder. */
struct listing {
    struct media_folder *folder;
    struct media_names names;
    atomic_uint refs;
};

/* Either a folder to list (or to go on listing, with @more), or names of a listing. */
struct task {
    struct task *next;
    struct media_folder *folder;
    struct listing *listing;
    size_t from;
    size_t to;
    bool more;
};

struct worker {
    struct media_walker *walker;
    unsigned number;
    pthread_t thread;
    struct task *run;   /* the run in hand */
    struct task *found; /* folders in it, newest first */
    struct plug_bytes path;
    char *buffer;
};

struct media_walker {
    struct media_walk *walk;
    struct media_folders folders;
    dev_t root_dev;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct task *top;
    size_t unfinished; /* tasks on the stack and in hand */
    unsigned waiting;
    atomic_bool stop;
    atomic_bool cancelled;
    atomic_int root_error; /* why the root could not be listed */
    struct worker *workers;
};

int64_t media_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---------------------------------------------------------------- the stack */

static void push_all(struct media_walker *walker, struct task *first)
{
    pthread_mutex_lock(&walker->lock);
    while (first) {
        struct task *next = first->next;
        first->next = walker->top;
        walker->top = first;
        walker->unfinished++;
        if (walker->waiting > 0)
            pthread_cond_signal(&walker->changed);
        first = next;
    }
    pthread_mutex_unlock(&walker->lock);
}

static struct task *pop(struct media_walker *walker)
{
    struct task *task;

    pthread_mutex_lock(&walker->lock);
    while (walker->top == NULL && walker->unfinished > 0) {
        walker->waiting++;
        pthread_cond_wait(&walker->changed, &walker->lock);
        walker->waiting--;
    }
    task = walker->top;
    if (task)
        walker->top = task->next;
    pthread_mutex_unlock(&walker->lock);
    return task;
}

static void finished(struct media_walker *walker)
{
    pthread_mutex_lock(&walker->lock);
    if (--walker->unfinished == 0)
        pthread_cond_broadcast(&walker->changed);
    pthread_mutex_unlock(&walker->lock);
}

static struct task *folder_task(struct media_folder *folder, bool more)
{
    struct task *task = plug_alloc(1, sizeof *task);

    task->folder = folder;
    task->more = more;
    return task;
}

static struct task *run_task(struct listing *listing, size_t from, size_t to)
{
    struct task *task = plug_alloc(1, sizeof *task);

    atomic_fetch_add(&listing->refs, 1);
    task->listing = listing;
    task->from = from;
    task->to = to;
    return task;
}

static void drop_listing(struct media_walker *walker, struct listing *listing)
{
    if (atomic_fetch_sub(&listing->refs, 1) > 1)
        return;
    media_folder_unpin(&walker->folders, listing->folder);
    media_folder_drop(&walker->folders, listing->folder);
    media_names_free(&listing->names);
    free(listing);
}

static void free_task(struct media_walker *walker, struct task *task)
{
    if (task->listing)
        drop_listing(walker, task->listing);
    if (task->folder && task->more)
        media_folder_unpin(&walker->folders, task->folder);
    if (task->folder)
        media_folder_drop(&walker->folders, task->folder);
    free(task);
}

static bool stopping(struct media_walker *walker)
{
    const struct backstay_host *host = walker->walk->media->host;

    if (atomic_load_explicit(&walker->stop, memory_order_relaxed))
        return true;
    if (!host->cancelled(host))
        return false;
    atomic_store(&walker->cancelled, true);
    atomic_store(&walker->stop, true);
    return true;
}

/* ---------------------------------------------------------------- selection */

/* Whether to visit @path; *@below receives whether all below it is included, too. */
static bool selected(const struct media *media, const char *path, size_t len, bool is_folder,
                     bool *below)
{
    if (media_patterns_match(media->exclude, path, len, is_folder) == MEDIA_MATCH_YES)
        return false;
    if (*below)
        return true;
    *below = media_patterns_match(media->include, path, len, is_folder) == MEDIA_MATCH_YES;
    return *below || (is_folder && media_patterns_lead(media->include, path, len));
}

/* ---------------------------------------------------------------- names of a listed folder */

static int visit_entry(struct worker *worker, struct media_spot *spot, bool typed)
{
    struct media_walker *walker = worker->walker;
    const struct media_visitor *visitor = &walker->walk->visitor;
    struct media_folder *folder = worker->run->listing->folder;
    bool included = folder->included;
    struct stat st;

    if (typed && !selected(walker->walk->media, spot->path, spot->path_len, false, &included))
        return 0;
    spot->seen_ns = media_now_ns();
    if (fstatat(spot->dir_fd, spot->name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
        spot->error = errno;
        return visitor->trouble(visitor->ctx, worker->number, spot,
                                errno == ENOENT ? "vanished" : "unreadable");
    }
    included = folder->included;
    if (!typed &&
        !selected(walker->walk->media, spot->path, spot->path_len, S_ISDIR(st.st_mode), &included))
        return 0;
    spot->st = &st;
    if (!S_ISDIR(st.st_mode))
        return visitor->entry(visitor->ctx, worker->number, spot);
    struct task *task = folder_task(media_folder_new(&walker->folders, folder, spot->name), false);
    task->folder->included = included;
    task->next = worker->found;
    worker->found = task;
    return 0;
}

static int visit_name(struct worker *worker, int dir_fd, size_t prefix, size_t i)
{
    struct media_walker *walker = worker->walker;
    struct listing *listing = worker->run->listing;
    const char *name = media_name_text(&listing->names, i);
    unsigned char type = media_name_type(&listing->names, i);

    plug_bytes_cut(&worker->path, prefix);
    plug_bytes_add(&worker->path, name, strlen(name));
    struct media_spot spot = {.path = worker->path.data,
                              .path_len = worker->path.len,
                              .dir_fd = dir_fd,
                              .name = name,
                              .fd = -1};
    if (type != DT_DIR)
        return visit_entry(worker, &spot, type != DT_UNKNOWN);
    bool included = listing->folder->included;
    if (!selected(walker->walk->media, spot.path, spot.path_len, true, &included))
        return 0;
    struct task *task =
        folder_task(media_folder_new(&walker->folders, listing->folder, name), false);
    task->folder->included = included;
    task->next = worker->found;
    worker->found = task;
    return 0;
}

static int do_run(struct worker *worker, struct task *run)
{
    struct media_walker *walker = worker->walker;
    struct media_folder *folder = run->listing->folder;
    int r = 0;

    plug_bytes_cut(&worker->path, 0);
    media_folder_path(folder, &worker->path);
    if (worker->path.len > 0)
        plug_bytes_add(&worker->path, "/", 1);
    size_t prefix = worker->path.len;
    worker->run = run;
    /* The listing's pin keeps the descriptor. media_walk_share() may shorten the run. */
    for (; r == 0 && run->from < run->to && !stopping(walker); run->from++)
        r = visit_name(worker, folder->fd, prefix, run->from);
    worker->run = NULL;
    /* On the stack they turn around once more, so the first by name is taken first. */
    push_all(walker, worker->found);
    worker->found = NULL;
    return r;
}

void media_walk_share(struct media_walk *walk, unsigned worker)
{
    struct task *run = walk->walker->workers[worker].run;

    if (run == NULL || run->from + 1 >= run->to)
        return;
    push_all(walk->walker, run_task(run->listing, run->from + 1, run->to));
    run->to = run->from + 1;
}

/* ---------------------------------------------------------------- folders */

static int report_unopened(struct worker *worker, struct media_folder *folder, int error)
{
    struct media_walker *walker = worker->walker;
    const struct media_visitor *visitor = &walker->walk->visitor;
    struct media_spot spot = {.path = worker->path.data,
                              .path_len = worker->path.len,
                              .dir_fd = -1,
                              .name = folder->name,
                              .fd = -1,
                              .error = error,
                              .seen_ns = media_now_ns()};
    struct stat st;
    bool found = false;

    if (folder->parent && error != ENOENT) {
        int parent = media_folder_pin(&walker->folders, folder->parent);
        if (parent >= 0) {
            found =
                fstatat(parent, folder->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
            media_folder_unpin(&walker->folders, folder->parent);
        }
    }
    if (!found)
        return visitor->trouble(
            visitor->ctx, worker->number, &spot,
            error == ENOENT || error == ENOTDIR || error == ELOOP ? "vanished" : "unreadable");
    spot.st = &st;
    return visitor->folder(visitor->ctx, worker->number, &spot);
}

/* @return 0 with *@descend set, or -1. */
static int visit_folder(struct worker *worker, int fd, bool *descend)
{
    struct media_walker *walker = worker->walker;
    const struct media_visitor *visitor = &walker->walk->visitor;
    struct stat st;
    struct media_spot spot = {.path = worker->path.data,
                              .path_len = worker->path.len,
                              .dir_fd = -1,
                              .name = "",
                              .fd = fd,
                              .st = &st,
                              .seen_ns = media_now_ns()};

    *descend = false;
    if (fstat(fd, &st) != 0) {
        spot.error = errno;
        spot.st = NULL;
        return visitor->trouble(visitor->ctx, worker->number, &spot, "unreadable");
    }
    *descend = !walker->walk->media->one_file_system || st.st_dev == walker->root_dev;
    return visitor->folder(visitor->ctx, worker->number, &spot);
}

/* A root of which nothing can be listed must not pass for an empty one. */
static int report_unlisted(struct worker *worker, const struct media_folder *folder,
                           const struct media_names *names, int error)
{
    const struct media_visitor *visitor = &worker->walker->walk->visitor;
    struct media_spot spot = {.path = worker->path.data,
                              .path_len = worker->path.len,
                              .dir_fd = -1,
                              .name = "",
                              .fd = -1,
                              .error = error};

    if (folder->parent == NULL && names->n == 0) {
        atomic_store(&worker->walker->root_error, error);
        return -1;
    }
    return visitor->trouble(visitor->ctx, worker->number, &spot, "listed in part only");
}

/* Reads the names and leaves the work on them, and what is still to be listed, on the stack. */
static int list_names(struct worker *worker, struct task *task, int fd)
{
    struct media_walker *walker = worker->walker;
    struct listing *listing = plug_alloc(1, sizeof *listing);
    struct media_names *names = &listing->names;
    struct task *tasks = NULL;
    int r = 0;

    listing->folder = media_folder_ref(&walker->folders, task->folder);
    (void)media_folder_pin(&walker->folders, task->folder);
    atomic_init(&listing->refs, 1);
    if (media_names_read(names, fd, worker->buffer) != 0)
        r = report_unlisted(worker, task->folder, names, errno);
    __atomic_add_fetch(&walker->walk->names, names->n, __ATOMIC_RELAXED);
    bool may_be_cache = !task->more && (names->cache_tag || !names->complete);
    if (may_be_cache && walker->walk->media->exclude_caches && media_names_is_cache(fd))
        media_names_only(names, MEDIA_CACHE_TAG);
    for (size_t from = 0; r == 0 && from < names->n; from += RUN) {
        struct task *run = run_task(listing, from, PLUG_MIN(from + RUN, names->n));
        run->next = tasks;
        tasks = run;
    }
    if (r == 0 && !names->complete) {
        (void)media_folder_pin(&walker->folders, task->folder);
        struct task *more = folder_task(media_folder_ref(&walker->folders, task->folder), true);
        push_all(walker, more);
    }
    push_all(walker, tasks);
    drop_listing(walker, listing);
    return r;
}

static int do_folder(struct worker *worker, struct task *task)
{
    struct media_walker *walker = worker->walker;
    struct media_folder *folder = task->folder;
    bool descend = true;
    int r = 0;

    plug_bytes_cut(&worker->path, 0);
    media_folder_path(folder, &worker->path);
    int fd = media_folder_pin(&walker->folders, folder);
    if (fd < 0)
        return report_unopened(worker, folder, errno);
    if (!task->more)
        r = visit_folder(worker, fd, &descend);
    if (r == 0 && descend)
        r = list_names(worker, task, fd);
    media_folder_unpin(&walker->folders, folder);
    return r;
}

/* ---------------------------------------------------------------- threads */

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct media_walker *walker = worker->walker;
    struct task *task;

    while ((task = pop(walker)) != NULL) {
        int r = 0;
        if (!stopping(walker))
            r = task->listing ? do_run(worker, task) : do_folder(worker, task);
        if (r != 0)
            atomic_store(&walker->stop, true);
        free_task(walker, task);
        finished(walker);
    }
    return NULL;
}

static void run_workers(struct media_walker *walker, unsigned n)
{
    unsigned started = 1;

    walker->workers = plug_alloc(n, sizeof *walker->workers);
    for (unsigned i = 0; i < n; i++) {
        walker->workers[i].walker = walker;
        walker->workers[i].number = i;
        walker->workers[i].buffer = plug_alloc(1, MEDIA_NAMES_BUFFER);
    }
    /* With fewer threads than wished the work is done all the same. */
    while (started < n && pthread_create(&walker->workers[started].thread, NULL, work,
                                         &walker->workers[started]) == 0)
        started++;
    work(&walker->workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(walker->workers[i].thread, NULL);
    for (unsigned i = 0; i < n; i++) {
        plug_bytes_free(&walker->workers[i].path);
        free(walker->workers[i].buffer);
    }
    free(walker->workers);
}

static int open_root(const struct media_walk *walk, dev_t *dev, struct backstay_error *err)
{
    const struct backstay_host *host = walk->media->host;
    int fd = media_open_quietly(AT_FDCWD, walk->root, O_RDONLY | O_DIRECTORY);
    struct stat st;
    int kind = media_kind(errno);

    if (fd < 0 && errno == ENOENT)
        return host->fail(host, err, kind,
                          "media folder %s: it does not exist; mount it or correct \"path\"",
                          walk->root);
    if (fd < 0 && errno == ENOTDIR)
        return host->fail(host, err, kind, "media folder %s: it is not a folder; correct \"path\"",
                          walk->root);
    if (fd < 0)
        return host->fail(host, err, kind, "open media folder %s: %s", walk->root,
                          media_why(errno));
    if (fstat(fd, &st) != 0) {
        int error = errno;
        close(fd);
        return host->fail(host, err, BACKSTAY_ERR_IO, "look at media folder %s: %s", walk->root,
                          media_why(error));
    }
    *dev = st.st_dev;
    return fd;
}

int media_walk_run(struct media_walk *walk, struct backstay_error *err)
{
    const struct backstay_host *host = walk->media->host;
    struct media_walker walker = {.walk = walk};
    int fd = open_root(walk, &walker.root_dev, err);

    if (fd < 0)
        return -1;
    pthread_mutex_init(&walker.lock, NULL);
    pthread_cond_init(&walker.changed, NULL);
    media_folders_init(&walker.folders, fd, media_patterns_empty(walk->media->include));
    walk->walker = &walker;
    walk->names = 0;
    struct media_folder *root = media_folder_ref(&walker.folders, walker.folders.root);
    push_all(&walker, folder_task(root, false));
    run_workers(&walker, PLUG_MAX(host->jobs, 1));
    walk->walker = NULL;
    media_folders_done(&walker.folders);
    pthread_cond_destroy(&walker.changed);
    pthread_mutex_destroy(&walker.lock);
    int error = atomic_load(&walker.root_error);
    if (error != 0)
        return host->fail(host, err, BACKSTAY_ERR_IO, "list media folder %s: %s", walk->root,
                          media_why(error));
    if (atomic_load(&walker.cancelled))
        return host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped on request");
    return atomic_load(&walker.stop) ? -1 : 0;
}
