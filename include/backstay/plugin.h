/* include/backstay/plugin.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * The plugin ABI of Backstay, version 1: the only header of Backstay that a plugin includes.
 *
 * A plugin is one shared object with one visible symbol, `backstay_plugin`, a function that returns
 * a constant `struct backstay_plugin`. The rules of the boundary:
 *
 *  - Every struct that crosses it begins with its size, as its writer knew it. A receiver reads no
 *    member past that size. Members are appended, never moved or re-used; so a plugin built
 *    against an older header works with a newer host and the other way round, for as long as
 *    BACKSTAY_ABI stays the same.
 *  - Memory belongs to the side that allocated it. Pointers that one side hands to the other are
 *    valid until the call returns, unless a comment says more.
 *  - A function that can fail returns 0 for success and -1 for failure, and describes the failure
 *    in its `struct backstay_error *`; positive values are outcomes that its comment documents.
 *    Calls into the host (sink, feed) that return -1 mean "stop": release what you hold and return
 *    -1 yourself; the host keeps its own error, so there is no need to fill in one.
 *  - Plugins never write to stdout or stderr, never exit, never change the process's signal
 *    handlers, umask, locale or current folder. They may start threads, and join all of them
 *    before the call that started them returns. The host never unloads a plugin.
 *  - Secrets (options with BACKSTAY_OPTION_SECRET) appear in no message.
 *
 * Thread-safety: every host callback may be called from any thread of the plugin at any time
 * during the call that it was passed to. What a plugin must allow is said at each function.
 */
#ifndef BACKSTAY_PLUGIN_H
#define BACKSTAY_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BACKSTAY_ABI    1u
#define BACKSTAY_SYMBOL "backstay_plugin"
#define BACKSTAY_EXPORT __attribute__((visibility("default")))

#define BACKSTAY_PRINTF(f, a) __attribute__((format(printf, f, a)))

/** Whether member @m of struct @s lies within the size that its writer gave. */
#define BACKSTAY_HAS(s, m)                                                                         \
    ((s)->size >= offsetof(__typeof__(*(s)), m) + sizeof((s)->m))

/* ---------------------------------------------------------------- errors */

/** The kind alone decides whether the host tries again and which exit code the user sees. */
enum backstay_error_kind {
    BACKSTAY_ERR_NONE = 0,
    BACKSTAY_ERR_IO = 1,        /* failed, and trying again will not mend it */
    BACKSTAY_ERR_TRANSIENT = 2, /* may succeed later: the host retries with backoff */
    BACKSTAY_ERR_CONFIG = 3,    /* an option or what it names is wrong */
    BACKSTAY_ERR_AUTH = 4,      /* credentials or rights are missing or wrong */
    BACKSTAY_ERR_CORRUPT = 5,   /* bytes are not what they must be */
    BACKSTAY_ERR_SPACE = 6,     /* no room left */
    BACKSTAY_ERR_CANCELLED = 7  /* host->cancelled() said so */
};

/** Filled in by the failing side; the caller provides the memory and sets @size. */
struct backstay_error {
    uint32_t size;
    int32_t kind;     /* enum backstay_error_kind */
    char text[1024];  /* what was tried on what, why it failed, what to do; no full stop */
};

/* ---------------------------------------------------------------- options */

enum backstay_option_type {
    BACKSTAY_OPTION_STRING = 1,
    BACKSTAY_OPTION_BOOL = 2,     /* number: 0 or 1 */
    BACKSTAY_OPTION_INT = 3,      /* number */
    BACKSTAY_OPTION_SIZE = 4,     /* number: bytes, written 16MiB */
    BACKSTAY_OPTION_DURATION = 5, /* number: nanoseconds, written 90s, 26h, 8d */
    BACKSTAY_OPTION_SPACE = 6,    /* number: bytes, or percent when @percent is set; 10GiB or 15% */
    BACKSTAY_OPTION_LIST = 7,     /* items: strings; one string is a list of one */
    BACKSTAY_OPTION_PATH = 8      /* string; relative ones are relative to the configuration file */
};

enum { BACKSTAY_OPTION_REQUIRED = 1u, BACKSTAY_OPTION_SECRET = 2u };

/** One row of a plugin's option table: validation, help, docs and sample files derive from it. */
struct backstay_option {
    uint32_t size;
    uint32_t type;             /* enum backstay_option_type */
    uint32_t flags;
    uint32_t reserved;
    const char *name;          /* lower_case */
    const char *default_text;  /* as it would be written in the configuration; NULL for none */
    const char *help;          /* one sentence without a full stop */
};

/** The value of one option, validated and converted by the host. */
struct backstay_value {
    uint32_t size;
    uint32_t set;              /* 1: given or has a default; 0: absent, and the rest is zero */
    int64_t number;
    uint32_t percent;
    uint32_t n_items;
    const char *text;          /* as written, references resolved; NUL-terminated */
    const char *const *items;
};

/* ---------------------------------------------------------------- the host */

enum backstay_log_level {
    BACKSTAY_LOG_ERROR = 0,
    BACKSTAY_LOG_WARN = 1,
    BACKSTAY_LOG_NOTE = 2,
    BACKSTAY_LOG_INFO = 3,
    BACKSTAY_LOG_DEBUG = 4
};

/** What the host gives to one instance of a plugin (one configured source or destination). */
struct backstay_host {
    uint32_t size;
    uint32_t abi;
    const char *name;          /* the configured name, "media" */
    const struct backstay_value *const *values; /* in the order of the option table */
    uint32_t n_values;
    uint32_t jobs;             /* how many threads a call may keep busy; at least 1 */
    const char *scratch_dir;   /* an empty folder, mode 0700, the host removes it later */
    void *ctx;                 /* the host's own */

    void (*log)(const struct backstay_host *host, int level, const char *fmt, ...)
        BACKSTAY_PRINTF(3, 4);

    /** Fills in @err and returns -1: `return host->fail(host, err, BACKSTAY_ERR_IO, ...)`. */
    int (*fail)(const struct backstay_host *host, struct backstay_error *err, int kind,
                const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

    /** Whether to stop now. Long loops and waits ask at least every 100 ms. */
    int (*cancelled)(const struct backstay_host *host);
};

/* ---------------------------------------------------------------- entries */

enum backstay_entry_type {
    BACKSTAY_FILE = 1,    /* has content */
    BACKSTAY_DIR = 2,
    BACKSTAY_SYMLINK = 3, /* @target */
    BACKSTAY_FIFO = 4,
    BACKSTAY_CHARDEV = 5, /* @rdev_major, @rdev_minor */
    BACKSTAY_BLOCKDEV = 6,
    BACKSTAY_SOCKET = 7   /* noted; never restored */
};

enum {
    BACKSTAY_ENTRY_HAS_MODE = 1u,  /* mode, uid, gid and mtime mean something */
    BACKSTAY_ENTRY_CHANGED = 2u    /* changed while it was read: the content may be a mix */
};

/** A stretch of data in a sparse file; between stretches are holes. */
struct backstay_extent {
    uint64_t offset;
    uint64_t length;
};

struct backstay_xattr {
    const char *name;  /* NUL-terminated; ACLs and capabilities are xattrs (system., security.) */
    const void *value;
    size_t value_len;
};

/** A name and a text for what the members below do not cover ("table", "public.orders"). */
struct backstay_pair {
    const char *key;
    const char *value;
};

/**
 * One file-like thing. @path is relative, of bytes other than NUL, without empty, "." or ".."
 * components, and unique in its snapshot. The root of a tree is the empty path.
 */
struct backstay_entry {
    uint32_t size;
    uint32_t type;         /* enum backstay_entry_type */
    uint32_t flags;
    uint32_t mode;         /* the permission bits, 07777 */
    const char *path;      /* NUL-terminated */
    size_t path_len;
    uint64_t bytes;        /* of a file, holes included */
    uint64_t link_group;   /* not 0: entries with the same number are hard links to one file */
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint32_t uid;
    uint32_t gid;
    uint32_t rdev_major;
    uint32_t rdev_minor;
    uint32_t n_xattrs;
    uint32_t n_pairs;
    uint32_t sparse;       /* 1: the content is the bytes of @extents, one after the other */
    const char *user;      /* names, or NULL */
    const char *group;
    const char *target;    /* of a symbolic link, bytes */
    size_t target_len;
    const struct backstay_xattr *xattrs;
    const struct backstay_extent *extents;  /* ascending, not overlapping, inside @bytes */
    size_t n_extents;
    const struct backstay_pair *pairs;
};

/* ---------------------------------------------------------------- backup */

struct backstay_stream; /* the content of one entry on its way; the host's */

enum { BACKSTAY_TOKEN_MAX = 64 };

/**
 * Where a source puts its entries. All functions may be called from several threads at once; one
 * stream belongs to one thread at a time. Several streams may be open at once. Order is free.
 */
struct backstay_sink {
    uint32_t size;
    uint32_t reserved;
    void *ctx;

    /**
     * Is the entry @path as it was in the last snapshot? @token is what the source knows about its
     * state (for a file: device, inode, size, mtime, ctime); at most BACKSTAY_TOKEN_MAX bytes.
     *
     * @return 1: yes, and the entry is now recorded as it was: do not send it. 0: send it. -1: stop.
     */
    int (*unchanged)(struct backstay_sink *sink, const char *path, size_t path_len,
                     const void *token, size_t token_len);

    /**
     * Records an entry whose content is in memory (or that has none: @len 0). @token is remembered
     * for the next unchanged(); pass @token_len 0 when the state cannot be trusted (a file touched
     * within the clock's resolution of being read).
     */
    int (*whole)(struct backstay_sink *sink, const struct backstay_entry *entry, const void *data,
                 size_t len, const void *token, size_t token_len);

    /** Begins an entry whose content comes in pieces. @return 0 with *@out set, or -1. */
    int (*begin)(struct backstay_sink *sink, const char *path, size_t path_len,
                 struct backstay_stream **out);

    /** Appends to the content. May wait for the pipeline. */
    int (*write)(struct backstay_sink *sink, struct backstay_stream *stream, const void *data,
                 size_t len);

    /** Ends the content and records @entry, whose path is the one given to begin(). */
    int (*end)(struct backstay_sink *sink, struct backstay_stream *stream,
               const struct backstay_entry *entry, const void *token, size_t token_len);

    /** Ends the content and records nothing. */
    void (*abort)(struct backstay_sink *sink, struct backstay_stream *stream);

    /**
     * Records @entry as another name of a file whose content is sent under the same link_group by
     * another call (before or after this one); size and extents are taken from that call.
     */
    int (*link)(struct backstay_sink *sink, const struct backstay_entry *entry, const void *token,
                size_t token_len);

    /** Notes in the snapshot that something about @path (NULL for all) is not as it should be. */
    int (*warn)(struct backstay_sink *sink, const char *path, size_t path_len, const char *fmt, ...)
        BACKSTAY_PRINTF(4, 5);

    /**
     * Records a fact: compared at verification ("table:public.orders:rows", "1204"). A name that
     * ends in '@' and a word ("table:public.orders:digest@15") is only comparable with a copy that
     * reports the very same name.
     */
    int (*fact)(struct backstay_sink *sink, const char *name, const char *value);

    /** Something about the snapshot as a whole, for people ("server_version", "15.18"). */
    int (*detail)(struct backstay_sink *sink, const char *name, const char *value);

    /** The consistency instant, ns since 1970. Without this call: when backup() was called. */
    int (*instant)(struct backstay_sink *sink, int64_t wall_ns);

    /** What is still to come, for progress; may be called again with better figures. */
    void (*expect)(struct backstay_sink *sink, uint64_t entries, uint64_t bytes);
};

/* ---------------------------------------------------------------- restore */

enum backstay_overwrite {
    BACKSTAY_OVERWRITE_NEVER = 0,   /* what exists stays; it is reported */
    BACKSTAY_OVERWRITE_CHANGED = 1, /* replaced unless type, size and mtime are equal */
    BACKSTAY_OVERWRITE_ALWAYS = 2
};

/** Where to restore to. */
struct backstay_target {
    uint32_t size;
    uint32_t overwrite;                  /* enum backstay_overwrite */
    const char *location;                /* a folder, a database URL: the plugin's to understand */
    const struct backstay_pair *options; /* those of restore_options that were given, or NULL */
    uint32_t n_options;
    uint32_t dry_run;                    /* 1: say what would be done, change nothing */
};

struct backstay_cursor; /* one thread's window on the entries; the host's */
struct backstay_reader; /* the content of one entry being read; the host's */

/**
 * Bulk mode: the host reads packs in their storage order, each frame once, and hands out pieces of
 * content. Called from several threads at once, for different entries and for different pieces
 * of the same entry. @ctx is what was passed to bulk(). A return value of -1 (with @err) fails this
 * entry only, unless host->cancelled(); the host reports it and goes on.
 */
struct backstay_bulk {
    uint32_t size;
    uint32_t reserved;

    /** All of the content at once. Nothing else is called for this entry. */
    int (*whole)(void *ctx, uint64_t index, const struct backstay_entry *entry, const void *data,
                 size_t len, struct backstay_error *err);

    /** @len bytes of the content at @offset (of the content: holes do not count). */
    int (*piece)(void *ctx, uint64_t index, const struct backstay_entry *entry, uint64_t offset,
                 const void *data, size_t len, struct backstay_error *err);

    /**
     * After all pieces of the entry were handed out, and after the calls for them returned. @damaged
     * 1: some pieces could not be read or failed; the plugin decides what stays on the target (and
     * removes what would pass for the whole).
     */
    int (*finish)(void *ctx, uint64_t index, const struct backstay_entry *entry, int damaged,
                  struct backstay_error *err);
};

/**
 * The entries to restore, sorted by the bytes of their paths (so a folder comes before what is in
 * it), 0 .. n_entries-1. The host has checked that paths are relative and have no ".." in them; it
 * has NOT checked that a parent is a folder: the plugin never follows a symbolic link below its
 * target.
 */
struct backstay_feed {
    uint32_t size;
    uint32_t reserved;
    void *ctx;
    uint64_t n_entries;

    /** A cursor for one thread; close it with cursor_close (NULL is allowed). */
    struct backstay_cursor *(*cursor_open)(struct backstay_feed *feed);
    void (*cursor_close)(struct backstay_feed *feed, struct backstay_cursor *cursor);

    /** Entry @index; valid until the cursor is used again. NULL: stop. */
    const struct backstay_entry *(*entry)(struct backstay_feed *feed,
                                          struct backstay_cursor *cursor, uint64_t index);

    /**
     * Pull mode: reads one entry's content from its beginning to its end; several readers may be
     * open at once. read() returns the number of bytes, 0 at the end, -1 to stop.
     */
    int (*open)(struct backstay_feed *feed, uint64_t index, struct backstay_reader **out);
    ssize_t (*read)(struct backstay_feed *feed, struct backstay_reader *reader, void *data,
                    size_t len);
    void (*close)(struct backstay_feed *feed, struct backstay_reader *reader);

    /**
     * Bulk mode: delivers the content of every file entry whose bit is set in @wanted (bit i of
     * byte i/8 is entry i; NULL: all files) and returns when all are finished. Entries of length 0
     * get whole(). @return 0 also when some entries failed; -1: stop.
     */
    int (*bulk)(struct backstay_feed *feed, const struct backstay_bulk *ops, void *ctx,
                const unsigned char *wanted);

    /** Reports that entry @index was not or not fully restored, and why. */
    void (*problem)(struct backstay_feed *feed, uint64_t index, const char *fmt, ...)
        BACKSTAY_PRINTF(3, 4);

    /** Counts entry @index as restored (or, with @kept 1, as already there and left alone). */
    void (*done)(struct backstay_feed *feed, uint64_t index, int kept);
};

/* ---------------------------------------------------------------- sources */

enum backstay_severity { BACKSTAY_OK = 0, BACKSTAY_INFO = 1, BACKSTAY_WARNING = 2, BACKSTAY_BAD = 3 };

/** Receives what check() and probe() find. */
struct backstay_report {
    uint32_t size;
    uint32_t reserved;
    void *ctx;

    /** One line of a preflight: what was looked at, and what to do where it is not as it must be. */
    void (*finding)(struct backstay_report *report, int severity, const char *subject,
                    const char *fmt, ...) BACKSTAY_PRINTF(4, 5);

    /** One fact of a live or restored copy, named as at backup. */
    void (*fact)(struct backstay_report *report, const char *name, const char *value);
};

/** A throwaway place to restore into. */
struct backstay_scratch {
    uint32_t size;
    uint32_t reserved;
    char location[512]; /* out: as for backstay_target.location */
    char marker[128];   /* out: what proves, after a crash, that it is ours to remove */

    /**
     * In: ns since 1970 when it is to remove itself, whatever became of the caller. 0: it lives
     * until scratch_remove(), and at the latest until the source's own limit.
     */
    int64_t keep_until_ns;
    char hint[512];     /* out: how a person reaches it: a command line; may be empty */
    const char *server_version; /* in: the detail "server_version" of the snapshot, or NULL */
};

/**
 * A source. One instance is used by one call at a time, except that cancelled() may become true.
 * A function that a plugin does not offer is NULL: the host says so to the user.
 */
struct backstay_source {
    uint32_t size;
    uint32_t reserved;

    int (*open)(const struct backstay_host *host, void **self, struct backstay_error *err);
    void (*close)(void *self);

    /** Preflight: connection, rights, versions. Changes nothing. -1 only when it could not look. */
    int (*check)(void *self, struct backstay_report *report, struct backstay_error *err);

    /** Sends every entry to @sink, from as many threads as host->jobs says. */
    int (*backup)(void *self, struct backstay_sink *sink, struct backstay_error *err);

    /** Restores the entries of @feed into @target. */
    int (*restore)(void *self, const struct backstay_target *target, struct backstay_feed *feed,
                   struct backstay_error *err);

    /** Reports the facts of the live source (@target NULL) or of a restored copy. */
    int (*probe)(void *self, const struct backstay_target *target, struct backstay_report *report,
                 struct backstay_error *err);

    /**
     * Creates a scratch place, and removes what earlier crashes left behind. scratch_remove() goes
     * by the marker alone: that is all that is known of a place that an earlier run kept. It is also
     * called after a cancellation, and does not stop for it.
     */
    int (*scratch_create)(void *self, struct backstay_scratch *out, struct backstay_error *err);
    int (*scratch_remove)(void *self, const struct backstay_scratch *scratch,
                          struct backstay_error *err);

    /**
     * What backstay_target.options may hold: the host refuses any other. A pair's key is the name,
     * its value the text as it was given, of a BOOL "true" or "false"; an option of type LIST comes
     * as one pair for each of its items.
     */
    const struct backstay_option *const *restore_options;
    uint32_t n_restore_options;
    uint32_t reserved2;

    /**
     * Is the recorded fact @fact about something that a restore into @target, with its options,
     * restores? 1: yes, so probe() must find it again; 0: no.
     *
     * The facts of a source that offers this and probe() are compared after every restore.
     */
    int (*covers)(void *self, const struct backstay_target *target, const char *fact);
};

/* ---------------------------------------------------------------- destinations */

enum { BACKSTAY_EXISTS = 1, BACKSTAY_MISSING = 1 };

/** One listed object. */
struct backstay_object {
    uint32_t size;
    uint32_t reserved;
    const char *name;
    uint64_t bytes;
    int64_t modified_ns; /* by the destination's clock; 0 when it does not say */
};

struct backstay_space {
    uint32_t size;
    uint32_t known;       /* 0: the destination cannot tell (an object store) */
    uint64_t free_bytes;  /* that may be used: a configured minimum is already taken off */
    uint64_t total_bytes;
};

/**
 * A destination: an object store of whole, immutable objects. Names are relative paths of
 * [A-Za-z0-9._-] components joined by '/'. Every function may be called from several threads at
 * once on one instance. A TRANSIENT failure is retried by the host.
 */
struct backstay_destination {
    uint32_t size;
    uint32_t reserved;

    /** @create 1: the place may be created (init); 0: it must exist. */
    int (*open)(const struct backstay_host *host, int create, void **self,
                struct backstay_error *err);
    void (*close)(void *self);

    /** Preflight: reachability, rights, space. Leaves nothing behind. */
    int (*check)(void *self, struct backstay_report *report, struct backstay_error *err);

    /**
     * Stores the whole object. When it returns 0, the object is complete and durable; at any other
     * moment, either the old object or nothing is seen under @name.
     */
    int (*put)(void *self, const char *name, const void *data, size_t len,
               struct backstay_error *err);

    /** Stores it only when @name is not taken, decided atomically. @return 0, BACKSTAY_EXISTS, -1. */
    int (*put_if_absent)(void *self, const char *name, const void *data, size_t len,
                         struct backstay_error *err);

    /**
     * Reads @len bytes at @offset into @data.
     *
     * @got out: how many were read; fewer than @len only at the object's end.
     * @return 0, BACKSTAY_MISSING, -1.
     */
    int (*get)(void *self, const char *name, uint64_t offset, void *data, size_t len, size_t *got,
               struct backstay_error *err);

    /**
     * Calls @each for every object whose name begins with @prefix, in any order, until it returns
     * non-zero (which list() then returns). Unfinished uploads are not listed.
     */
    int (*list)(void *self, const char *prefix,
                int (*each)(void *ctx, const struct backstay_object *object), void *ctx,
                struct backstay_error *err);

    /** Removes an object. @return 0, BACKSTAY_MISSING, -1. */
    int (*remove)(void *self, const char *name, struct backstay_error *err);

    int (*space)(void *self, struct backstay_space *out, struct backstay_error *err);
};

/* ---------------------------------------------------------------- the plugin */

enum backstay_plugin_kind { BACKSTAY_SOURCE = 1, BACKSTAY_DESTINATION = 2 };

struct backstay_plugin {
    uint32_t size;
    uint32_t abi;           /* BACKSTAY_ABI, as the plugin was built */
    uint32_t kind;          /* enum backstay_plugin_kind */
    uint32_t n_options;
    const char *name;       /* what `type:` in the configuration says: "media" */
    const char *version;
    const char *summary;    /* one sentence without a full stop */
    const struct backstay_option *const *options; /* pointers, so that rows may grow */
    const struct backstay_source *source;
    const struct backstay_destination *destination;
};

/** The one visible symbol. */
typedef const struct backstay_plugin *backstay_plugin_fn(void);
BACKSTAY_EXPORT const struct backstay_plugin *backstay_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
