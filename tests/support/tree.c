/* tests/support/tree.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two trees.
 */
#include "support/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SHOWN = 20, XATTR_ROOM = 65536 };

/* One thing in both trees. */
struct pair {
    int a_dir;
    int b_dir;
    const char *name;
    struct stat a;
    struct stat b;
};

struct compare {
    struct stay_buf path;
    struct stay_buf *out;
    struct stay_map *links; /* inode in a to inode in b, of files with several names */
    size_t n;
};

static void differ(struct compare *compare, const char *what)
{
    if (compare->n++ >= MOST_SHOWN)
        return;
    stay_json_add_string(compare->out, compare->path.len ? compare->path.data : ".",
                         compare->path.len ? compare->path.len : 1);
    stay_buf_printf(compare->out, ": %s\n", what);
}

static void differ_u64(struct compare *compare, const char *what, uint64_t a, uint64_t b)
{
    char text[128];

    if (a == b)
        return;
    (void)snprintf(text, sizeof text, "%s is %llu, was %llu", what, (unsigned long long)b,
                   (unsigned long long)a);
    differ(compare, text);
}

static void die(const char *what, const char *name)
{
    (void)fprintf(stderr, "tree: %s %s: %s\n", what, name, strerror(errno));
    abort();
}

/* ---------------------------------------------------------------- contents */

static void compare_stretch(struct compare *compare, int a, int b, off_t from, off_t to)
{
    enum { ROOM = 65536 };
    stay_auto_free char *x = stay_malloc(ROOM);
    stay_auto_free char *y = stay_malloc(ROOM);

    while (from < to) {
        size_t want = (size_t)STAY_MIN(to - from, (off_t)ROOM);
        ssize_t n = pread(a, x, want, from);
        if (n <= 0 || pread(b, y, want, from) != n || memcmp(x, y, (size_t)n) != 0) {
            differ(compare, "content differs");
            return;
        }
        from += n;
    }
}

/* Holes must be holes in both: the file systems of a test are the same. */
static void compare_content(struct compare *compare, const struct pair *pair)
{
    stay_auto_fd int a = openat(pair->a_dir, pair->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    stay_auto_fd int b = openat(pair->b_dir, pair->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    off_t at = 0;

    if (a < 0 || b < 0) {
        differ(compare, "cannot be opened in one of the trees");
        return;
    }
    while (at < pair->a.st_size) {
        off_t data = lseek(a, at, SEEK_DATA);
        off_t other = lseek(b, at, SEEK_DATA);
        if (data != other)
            differ(compare, "holes differ");
        if (data < 0 || data != other)
            return;
        at = lseek(a, data, SEEK_HOLE);
        if (at != lseek(b, data, SEEK_HOLE))
            differ(compare, "holes differ");
        compare_stretch(compare, a, b, data, at);
    }
}

static void compare_targets(struct compare *compare, const struct pair *pair)
{
    char a[8192];
    char b[8192];
    ssize_t a_len = readlinkat(pair->a_dir, pair->name, a, sizeof a);
    ssize_t b_len = readlinkat(pair->b_dir, pair->name, b, sizeof b);

    if (a_len < 0 || a_len != b_len || memcmp(a, b, (size_t)a_len) != 0)
        differ(compare, "target differs");
}

/* ---------------------------------------------------------------- attributes */

static void proc_path(char out[static 512], int dir, const char *name)
{
    (void)snprintf(out, 512, "/proc/self/fd/%d/%s", dir, name);
}

/* Every attribute of @x must be in @y with the same value. @return how many @x has. */
static size_t compare_xattrs_one_way(struct compare *compare, const char *x, const char *y)
{
    stay_auto_free char *names = stay_malloc(XATTR_ROOM);
    stay_auto_free char *a = stay_malloc(XATTR_ROOM);
    stay_auto_free char *b = stay_malloc(XATTR_ROOM);
    ssize_t len = llistxattr(x, names, XATTR_ROOM);
    size_t n = 0;

    for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1, n++) {
        ssize_t a_len = lgetxattr(x, name, a, XATTR_ROOM);
        ssize_t b_len = lgetxattr(y, name, b, XATTR_ROOM);
        if (a_len >= 0 && a_len == b_len && memcmp(a, b, (size_t)a_len) == 0)
            continue;
        stay_auto_str char *text = stay_strf("attribute %s differs", name);
        differ(compare, text);
    }
    return n;
}

static void compare_xattrs(struct compare *compare, const struct pair *pair)
{
    char a[512];
    char b[512];

    proc_path(a, pair->a_dir, pair->name);
    proc_path(b, pair->b_dir, pair->name);
    size_t n = compare_xattrs_one_way(compare, a, b);
    stay_auto_free char *names = stay_malloc(XATTR_ROOM);
    ssize_t len = llistxattr(b, names, XATTR_ROOM);
    size_t m = 0;
    for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1)
        m++;
    differ_u64(compare, "the number of attributes", n, m);
}

/* ---------------------------------------------------------------- the walk */

static void compare_links(struct compare *compare, const struct pair *pair)
{
    const uint64_t key[2] = {pair->a.st_dev, pair->a.st_ino};
    ino_t *known = stay_map_get(compare->links, key, sizeof key);

    differ_u64(compare, "the number of names", pair->a.st_nlink, pair->b.st_nlink);
    if (known == NULL) {
        known = stay_new(ino_t);
        *known = pair->b.st_ino;
        stay_map_set(compare->links, key, sizeof key, known);
    } else if (*known != pair->b.st_ino) {
        differ(compare, "is not a hard link to the same file");
    }
}

static void compare_stat(struct compare *compare, const struct pair *pair)
{
    const struct stat *a = &pair->a;
    const struct stat *b = &pair->b;

    differ_u64(compare, "mode", a->st_mode, b->st_mode);
    differ_u64(compare, "uid", a->st_uid, b->st_uid);
    differ_u64(compare, "gid", a->st_gid, b->st_gid);
    differ_u64(compare, "mtime", (uint64_t)a->st_mtim.tv_sec, (uint64_t)b->st_mtim.tv_sec);
    differ_u64(compare, "mtime, ns", (uint64_t)a->st_mtim.tv_nsec, (uint64_t)b->st_mtim.tv_nsec);
    differ_u64(compare, "device", a->st_rdev, b->st_rdev);
    if (!S_ISDIR(a->st_mode))
        differ_u64(compare, "size", (uint64_t)a->st_size, (uint64_t)b->st_size);
}

static void compare_folders(struct compare *compare, int a, int b);

static void compare_thing(struct compare *compare, const struct pair *pair)
{
    compare_stat(compare, pair);
    compare_xattrs(compare, pair);
    if ((pair->a.st_mode & S_IFMT) != (pair->b.st_mode & S_IFMT))
        return;
    if (S_ISLNK(pair->a.st_mode))
        compare_targets(compare, pair);
    if (S_ISREG(pair->a.st_mode)) {
        compare_links(compare, pair);
        compare_content(compare, pair);
    }
    if (S_ISDIR(pair->a.st_mode)) {
        int a = openat(pair->a_dir, pair->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int b = openat(pair->b_dir, pair->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (a < 0 || b < 0)
            die("open", pair->name);
        compare_folders(compare, a, b);
    }
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Looks at @name in both folders, wherever it is. */
static void compare_name(struct compare *compare, int a, int b, const char *name)
{
    struct pair pair = {.a_dir = a, .b_dir = b, .name = name};
    size_t len = compare->path.len;
    bool in_a = fstatat(a, name, &pair.a, AT_SYMLINK_NOFOLLOW) == 0;
    bool in_b = fstatat(b, name, &pair.b, AT_SYMLINK_NOFOLLOW) == 0;

    if (len > 0)
        stay_buf_char(&compare->path, '/');
    stay_buf_str(&compare->path, name);
    if (in_a && in_b)
        compare_thing(compare, &pair);
    else if (!in_b && !S_ISSOCK(pair.a.st_mode))
        differ(compare, "is missing");
    else if (in_b)
        differ(compare, "should not be there");
    compare->path.len = len;
}

/* Closes both. */
static void compare_folders(struct compare *compare, int a, int b)
{
    struct dirent **a_names = NULL;
    struct dirent **b_names = NULL;
    int n_a = scandirat(a, ".", &a_names, no_dots, by_name);
    int n_b = scandirat(b, ".", &b_names, no_dots, by_name);
    struct stat st;

    if (n_a < 0 || n_b < 0)
        die("list", compare->path.data);
    for (int i = 0; i < n_a; i++)
        compare_name(compare, a, b, a_names[i]->d_name);
    for (int i = 0; i < n_b; i++)
        if (fstatat(a, b_names[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            compare_name(compare, a, b, b_names[i]->d_name);
    while (n_a > 0)
        free(a_names[--n_a]);
    while (n_b > 0)
        free(b_names[--n_b]);
    free(a_names);
    free(b_names);
    close(a);
    close(b);
}

size_t stay_tree_compare(const char *a, const char *b, struct stay_buf *differences)
{
    struct compare compare = {.out = differences, .links = stay_map_new(free)};
    struct pair root = {.a_dir = open(a, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                        .b_dir = open(b, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                        .name = "."};

    stay_tree_lift_limits();
    stay_buf_str(&compare.path, "");
    if (root.a_dir < 0 || root.b_dir < 0)
        die("open", root.a_dir < 0 ? a : b);
    if (fstat(root.a_dir, &root.a) != 0 || fstat(root.b_dir, &root.b) != 0)
        die("look at", a);
    compare_thing(&compare, &root);
    close(root.a_dir);
    close(root.b_dir);
    stay_map_free(compare.links);
    stay_buf_free(&compare.path);
    return compare.n;
}

void stay_tree_settle(void)
{
    const struct timespec while_ns = {.tv_nsec = 80 * 1000 * 1000};

    (void)nanosleep(&while_ns, NULL);
}

void stay_tree_lift_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}
