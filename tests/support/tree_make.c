/* tests/support/tree_make.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Making trees. Everything is done relative to an open folder, since paths get long.
 */
#include "support/random.h"
#include "support/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CHECK(call)                                                                                \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            (void)fprintf(stderr, "tree: %s: %s\n", #call, strerror(errno));                       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static bool is_root(void)
{
    return geteuid() == 0;
}

static int open_root(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd < 0);
    return fd;
}

/* ---------------------------------------------------------------- pieces */

static void set_time(int dir, const char *name, int64_t s, long ns)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = s, .tv_nsec = ns}};

    CHECK(utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW));
}

static int make(int dir, const char *name)
{
    int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

    CHECK(fd < 0);
    return fd;
}

static void write_at(int fd, off_t at, const void *data, size_t len)
{
    CHECK(pwrite(fd, data, len, at) != (ssize_t)len);
}

static void fill(int dir, const char *name, size_t len, uint64_t seed)
{
    stay_auto_fd int fd = make(dir, name);
    stay_auto_free char *data = stay_malloc(len + 1);
    struct stay_random random = {seed};

    stay_random_fill(&random, data, len);
    write_at(fd, 0, data, len);
    set_time(dir, name, 1000000000 + (int64_t)(seed % 100000000), (long)(seed * 7919 % 1000000000));
}

static void text(int dir, const char *name, const char *content)
{
    stay_auto_fd int fd = make(dir, name);

    write_at(fd, 0, content, strlen(content));
    set_time(dir, name, 1600000000, 123456789);
}

static int folder(int dir, const char *name)
{
    CHECK(mkdirat(dir, name, 0755));
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd < 0);
    return fd;
}

static void xattr(int dir, const char *path, const char *name, const void *value, size_t len)
{
    char proc[512];

    (void)snprintf(proc, sizeof proc, "/proc/self/fd/%d/%s", dir, path);
    CHECK(lsetxattr(proc, name, value, len, 0));
}

/* ---------------------------------------------------------------- odd things */

static void make_modes(int dir)
{
    static const mode_t modes[] = {0,    0400,  0600,  0644,  0666, 0755,
                                   0777, 01644, 02755, 04755, 06755};

    for (size_t i = is_root() ? 0 : 1; i < STAY_COUNT(modes); i++) {
        stay_auto_str char *name = stay_strf("mode-%04o", (unsigned)modes[i]);
        text(dir, name, name);
        if (is_root() && modes[i] & 07000)
            CHECK(fchownat(dir, name, 1234, 4321, 0));
        CHECK(fchmodat(dir, name, modes[i], 0));
    }
    stay_auto_fd int sticky = folder(dir, "sticky");
    stay_auto_fd int shared = folder(dir, "shared");
    stay_auto_fd int locked = folder(dir, "locked");
    text(locked, "inside", "a folder that cannot be written to");
    CHECK(fchmod(sticky, 01777));
    CHECK(fchmod(shared, 02775));
    CHECK(fchmod(locked, 0555));
}

static void make_times(int dir)
{
    text(dir, "before-1970", "");
    set_time(dir, "before-1970", -86400 * 365, 1);
    text(dir, "after-2038", "");
    set_time(dir, "after-2038", 4102444800, 999999999);
    text(dir, "zero", "");
    set_time(dir, "zero", 0, 0);
}

static void make_names(int dir)
{
    static const char *const names[] = {
        " ",
        "  two spaces  ",
        "new\nline",
        "tab\t",
        "quote\"'`",
        "back\\slash",
        "*",
        "?",
        "[a]",
        "-rf",
        "~",
        "$HOME",
        ".hidden",
        "..dots",
        "...",
        "\xff\xfe",
        "\xc3",
        "caf\xc3\xa9",
        "cafe\xcc\x81",
        "\x01\x02\x7f",
        "a",
        "a-b",
        "a.b",
        "A",
        "%s%n",
        "nul",
        "e\xf0\x9f\x98\x80",
    };
    char longest[256];

    for (size_t i = 0; i < STAY_COUNT(names); i++)
        text(dir, names[i], names[i]);
    memset(longest, 'x', sizeof longest - 1);
    longest[255] = '\0';
    text(dir, longest, "the longest name");
    stay_auto_fd int a = folder(dir, "a+");
    text(a, "x", "after a- in the order of bytes, before a/");
    stay_auto_fd int bytes = folder(dir, "\xfe\xed");
    text(bytes, "\n", "in a folder whose name is no text");
    stay_auto_fd int empty = folder(dir, "empty folder");
}

static void make_symlinks(int dir)
{
    char target[4001];

    memset(target, 'x', sizeof target - 1);
    for (size_t i = 100; i < sizeof target; i += 100)
        target[i - 1] = '/';
    target[sizeof target - 1] = '\0';
    CHECK(symlinkat("relative", dir, "to-relative"));
    CHECK(symlinkat("/etc/passwd", dir, "to-absolute"));
    CHECK(symlinkat("../..", dir, "to-above"));
    CHECK(symlinkat("bad\xff\nbytes", dir, "to-bytes"));
    CHECK(symlinkat(target, dir, "to-far-away"));
    set_time(dir, "to-relative", 1234567890, 987654321);
    if (is_root())
        CHECK(fchownat(dir, "to-relative", 77, 88, AT_SYMLINK_NOFOLLOW));
    if (is_root())
        xattr(dir, "to-relative", "trusted.link", "of the link itself", 18);
}

static void make_specials(int dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    CHECK(mknodat(dir, "fifo", S_IFIFO | 0600, 0));
    set_time(dir, "fifo", 1111111111, 222222222);
    stay_auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", dir);
    CHECK(bind(sock, (const void *)&address, sizeof address));
    if (!is_root())
        return;
    CHECK(mknodat(dir, "null", S_IFCHR | 0666, makedev(1, 3)));
    CHECK(mknodat(dir, "disk", S_IFBLK | 0660, makedev(259, 70000)));
    CHECK(fchownat(dir, "disk", 0, 6, 0));
    CHECK(fchownat(dir, "fifo", 5, 6, 0));
}

static void make_links(int dir)
{
    stay_auto_fd int sub = folder(dir, "sub");

    text(dir, "one", "three names");
    CHECK(linkat(dir, "one", dir, "two", 0));
    CHECK(linkat(dir, "one", sub, "three", 0));
    fill(sub, "large", (3U << 20) + 5, 11);
    CHECK(linkat(sub, "large", dir, "large too", 0));
    text(dir, "outside", "one of its names is elsewhere");
}

static void make_sparse(int dir)
{
    static const char data[4096] = "some data";
    stay_auto_fd int holes = make(dir, "only-a-hole");
    stay_auto_fd int front = make(dir, "hole-in-front");
    stay_auto_fd int middle = make(dir, "hole-inside");
    stay_auto_fd int end = make(dir, "hole-at-end");
    stay_auto_fd int comb = make(dir, "comb");
    stay_auto_fd int large = make(dir, "large");

    CHECK(ftruncate(holes, 10 << 20));
    write_at(front, 1 << 20, data, sizeof data);
    write_at(middle, 0, data, sizeof data);
    write_at(middle, 1 << 20, data, 100);
    write_at(end, 0, data, sizeof data);
    CHECK(ftruncate(end, (1 << 20) + 3));
    for (off_t at = 0; at < 400; at += 2)
        write_at(comb, at * 65536, &at, sizeof at);
    for (off_t at = 0; at < 600; at++)
        write_at(large, ((off_t)1 << 30) + at * 4096, data, sizeof data);
    CHECK(ftruncate(large, (off_t)1 << 33));
    set_time(dir, "only-a-hole", 1500000000, 5);
}

/* An ACL as the kernel takes it: version 2, then tag, permissions and id of each entry. */
static size_t make_acl(unsigned char out[static 64], uint32_t uid)
{
    static const struct {
        uint16_t tag;
        uint16_t perm;
        bool named;
    } entries[] = {{1, 7, false}, {2, 4, true}, {4, 4, false}, {16, 5, false}, {32, 0, false}};
    unsigned char *at = out;

    *at++ = 2;
    memset(at, 0, 3);
    at += 3;
    for (size_t i = 0; i < STAY_COUNT(entries); i++) {
        uint32_t id = entries[i].named ? uid : UINT32_MAX;
        const uint8_t bytes[8] = {(uint8_t)entries[i].tag,
                                  (uint8_t)(entries[i].tag >> 8),
                                  (uint8_t)entries[i].perm,
                                  0,
                                  (uint8_t)id,
                                  (uint8_t)(id >> 8),
                                  (uint8_t)(id >> 16),
                                  (uint8_t)(id >> 24)};
        memcpy(at, bytes, sizeof bytes);
        at += sizeof bytes;
    }
    return (size_t)(at - out);
}

static void make_attributes(int dir)
{
    static const unsigned char capability[20] = {1, 0, 0, 2, 0, 4};
    unsigned char acl[64];
    size_t acl_len = make_acl(acl, 1234);
    char large[2000];
    stay_auto_fd int sub = folder(dir, "with-default-acl");

    memset(large, 0, sizeof large);
    text(dir, "attributes", "");
    xattr(dir, "attributes", "user.comment", "a comment", 9);
    xattr(dir, "attributes", "user.empty", "", 0);
    xattr(dir, "attributes", "user.zeroes", large, sizeof large);
    xattr(dir, "attributes", "user.caf\xc3\xa9 \xff", "odd name", 8);
    text(dir, "read-only", "attributes are set before the mode");
    xattr(dir, "read-only", "user.a", "b", 1);
    CHECK(fchmodat(dir, "read-only", 0400, 0));
    text(dir, "acl", "");
    xattr(dir, "acl", "system.posix_acl_access", acl, acl_len);
    text(sub, "made-before", "without an ACL");
    xattr(dir, "with-default-acl", "system.posix_acl_default", acl, acl_len);
    xattr(dir, "with-default-acl", "system.posix_acl_access", acl, acl_len);
    xattr(dir, "with-default-acl", "user.folder", "x", 1);
    text(sub, "made-after", "inherits");
    stay_auto_fd int below = folder(sub, "below");
    if (!is_root())
        return;
    text(dir, "capable", "");
    CHECK(fchownat(dir, "capable", 9, 9, 0));
    xattr(dir, "capable", "security.capability", capability, sizeof capability);
    xattr(dir, "attributes", "trusted.secret", "for root", 8);
}

/* 110 folders of 49 bytes: no path to the end is shorter than 5,500 bytes. */
static void make_deep(int dir)
{
    int at = dup(dir);

    for (int i = 0; i < 110; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%03d-%045d", i, i);
        int next = folder(at, name);
        if (i % 10 == 0)
            text(at, "file", "on the way");
        set_time(at, name, 1400000000 + i, 100 + i);
        close(at);
        at = next;
    }
    text(at, "end", "deep");
    CHECK(linkat(at, "end", at, "end too", 0));
    CHECK(symlinkat("end", at, "end link"));
    close(at);
}

void stay_tree_make_odd(const char *root)
{
    static const struct {
        const char *name;
        void (*make)(int dir);
    } parts[] = {
        {"modes", make_modes},       {"times", make_times},           {"names", make_names},
        {"symlinks", make_symlinks}, {"nodes", make_specials},        {"links", make_links},
        {"sparse", make_sparse},     {"attributes", make_attributes}, {"deep", make_deep},
    };
    stay_auto_fd int dir = open_root(root);

    for (size_t i = 0; i < STAY_COUNT(parts); i++) {
        stay_auto_fd int part = folder(dir, parts[i].name);
        parts[i].make(part);
    }
    fill(dir, "empty", 0, 1);
    fill(dir, "small", 5000, 2);
    fill(dir, "one-mebibyte", 1 << 20, 3);
    fill(dir, "one-mebibyte-and-one", (1 << 20) + 1, 4);
    fill(dir, "large", (5U << 20) + 17, 5);
    CHECK(linkat(dir, "links/outside", dir, "links-outside", 0));
    for (size_t i = 0; i < STAY_COUNT(parts); i++)
        set_time(dir, parts[i].name, 1300000000 + (int64_t)i, 777 + (long)i);
    set_time(dir, ".", 1299999999, 42);
}

/* ---------------------------------------------------------------- random trees */

struct maker {
    struct stay_random random;
    size_t left;
};

static void random_name(struct maker *maker, char out[static 24])
{
    size_t len = 1 + stay_random_below(&maker->random, 20);

    for (size_t i = 0; i < len; i++) {
        out[i] = (char)stay_random_below(&maker->random, 256);
        if (out[i] == '\0' || out[i] == '/')
            out[i] = 'x';
    }
    out[len] = '\0';
    if (strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
        out[0] = 'y';
}

static void random_folder(struct maker *maker, int dir, unsigned depth);

/* @previous is the file made before, or "". */
static void random_thing(struct maker *maker, int dir, const char *name, const char *previous,
                         unsigned depth)
{
    struct stay_random *random = &maker->random;
    size_t kind = stay_random_below(random, 20);

    if (kind < 4 && depth < 12) {
        stay_auto_fd int sub = folder(dir, name);
        random_folder(maker, sub, depth + 1);
    } else if (kind == 4) {
        CHECK(symlinkat(name, dir, name));
    } else if (kind == 5) {
        CHECK(mknodat(dir, name, S_IFIFO | 0640, 0));
    } else if (kind == 6 && previous[0] != '\0') {
        CHECK(linkat(dir, previous, dir, name, 0));
        return;
    } else if (kind == 7) {
        stay_auto_fd int fd = make(dir, name);
        write_at(fd, (off_t)stay_random_below(random, 1 << 22), name, strlen(name));
        CHECK(ftruncate(fd, 1 << 22));
    } else {
        size_t most = kind == 8 ? 3U << 20 : 1U << (4 + stay_random_below(random, 14));
        fill(dir, name, stay_random_below(random, most), stay_random_next(random));
        if (kind == 9)
            xattr(dir, name, "user.random", &kind, sizeof kind);
    }
    if (kind != 4)
        CHECK(fchmodat(dir, name, 0700 | (mode_t)stay_random_below(random, 0100), 0));
    set_time(dir, name, (int64_t)stay_random_below(random, 2000000000),
             (long)stay_random_below(random, 1000000000));
}

static void random_folder(struct maker *maker, int dir, unsigned depth)
{
    char previous[24] = "";
    size_t n = stay_random_below(&maker->random, 30);
    struct stat st;

    for (size_t i = 0; (depth == 0 || i < n) && maker->left > 0; i++) {
        char name[24];
        random_name(maker, name);
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        maker->left--;
        random_thing(maker, dir, name, previous, depth);
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            memcpy(previous, name, sizeof previous);
    }
}

void stay_tree_make_random(const char *root, uint64_t seed, size_t n)
{
    struct maker maker = {.random = {seed}, .left = n};
    stay_auto_fd int dir = open_root(root);

    random_folder(&maker, dir, 0);
}

/* ---------------------------------------------------------------- single things */

void stay_tree_mkdir(const char *root, const char *path)
{
    struct stay_err err = {0};
    stay_auto_str char *full = stay_strf("%s/%s", root, path);

    CHECK(stay_fs_mkdirs(full, 0755, &err));
}

void stay_tree_write(const char *root, const char *path, const char *content)
{
    stay_auto_fd int dir = open_root(root);

    text(dir, path, content);
}

void stay_tree_write_random(const char *root, const char *path, size_t len, uint64_t seed)
{
    stay_auto_fd int dir = open_root(root);

    fill(dir, path, len, seed);
}
