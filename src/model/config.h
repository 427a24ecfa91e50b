/* src/model/config.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * config: the configuration file: found, read, checked against one table of keys, and typed.
 *
 * Values that are references (reference.h) stay as they are written until somebody needs them:
 * stay_config_resolve() for the keys at the top, stay_settings_resolve() for the options of one
 * source or destination.
 *
 * Layer: model. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/base.h"
#include "base/setting.h"
#include "model/problem.h"
#include "model/reference.h"

enum stay_config_type {
    STAY_CONFIG_TEXT,     /* a char * */
    STAY_CONFIG_PATH,     /* a char *; relative ones are relative to the file's folder */
    STAY_CONFIG_SIZE,     /* an int64_t, bytes */
    STAY_CONFIG_NUMBER,   /* an int64_t */
    STAY_CONFIG_SECTIONS, /* a struct stay_config_sections */
    STAY_CONFIG_LATER     /* known, but not to this version: @help says what to do instead */
};

/** One key at the top of the file. */
struct stay_config_key {
    const char *name;
    enum stay_config_type type;
    const char *default_text; /* as it would be written; NULL: none, or computed: see @help */
    int64_t least;
    int64_t most;
    size_t offset;    /* of the member in struct stay_config */
    const char *help; /* one sentence without a full stop */
};

enum { STAY_CONFIG_KEYS = 17 };

/** All keys, in the order in which they are documented. */
extern const struct stay_config_key stay_config_keys[STAY_CONFIG_KEYS];

/** One source or destination. */
struct stay_config_section {
    const char *name;
    const char *type;
    struct stay_setting where;     /* its name and place; no value */
    struct stay_setting *settings; /* the options, as written, without `type` */
    size_t n_settings;
};

struct stay_config_sections {
    struct stay_config_section *items;
    size_t n;
    size_t cap;
};

struct stay_config {
    char *file;    /* as it was named */
    char *folder;  /* where it lies, absolute */
    unsigned mode; /* its permission bits; 0: not read from a file */
    char *app;     /* NULL: not given */
    char *state_dir;
    char *plugin_dir; /* NULL: the loader's default */
    int64_t memory_limit;
    int64_t threads;
    int64_t compression;
    struct stay_config_sections sources;
    struct stay_config_sections destinations;
    struct stay_setting given[STAY_CONFIG_KEYS]; /* as written; name NULL: the default holds */
    struct stay_yaml *root;
};

/**
 * Where the configuration is: @given (--config), else $BACKSTAY_CONFIG, else ./backstay.yaml, else
 * /etc/backstay/backstay.yaml. The first two need not exist.
 *
 * @out for the caller to free.
 * @return 0, or -1 (CONFIG) naming what was tried.
 */
STAY_CHECKED int stay_config_find(char **out, const char *given,
                                  const struct stay_resolver *resolver, struct stay_err *err);

/**
 * Reads and checks the file @path. Refuses one that somebody else may have written: a configuration
 * can run commands.
 *
 * @problems receives everything that is wrong with the content; @err the first of it.
 * @return 0 with *@out for stay_config_free(), or -1.
 */
STAY_CHECKED int stay_config_load(struct stay_config **out, const char *path,
                                  struct stay_problems *problems, struct stay_err *err);

/** The same from memory; @file is for messages and for relative paths. */
STAY_CHECKED int stay_config_parse(struct stay_config **out, const char *data, size_t len,
                                   const char *file, struct stay_problems *problems,
                                   struct stay_err *err);

/**
 * Resolves references in the keys at the top and computes defaults that depend on the machine:
 * state_dir is /var/lib/backstay for @uid 0, else $XDG_STATE_HOME/backstay or
 * ~/.local/state/backstay; threads is the number of CPUs that may be used.
 */
STAY_CHECKED int stay_config_resolve(struct stay_config *config,
                                     const struct stay_resolver *resolver, unsigned uid,
                                     struct stay_err *err);

/** Whether @option of the plugin @type is a secret; @kind is "source" or "destination". */
typedef bool stay_config_secret_fn(void *ctx, const char *kind, const char *type,
                                   const char *option);

/**
 * Refuses secrets that are written out (not references) in a file that group or others can read.
 * @problems and result as for stay_config_load().
 */
STAY_CHECKED int stay_config_check_secrets(const struct stay_config *config,
                                           stay_config_secret_fn *is_secret, void *ctx,
                                           struct stay_problems *problems, struct stay_err *err);

/** The section @name, or NULL. */
const struct stay_config_section *stay_config_section(const struct stay_config_sections *sections,
                                                      const char *name);

/** Releases it; values are wiped. NULL is allowed. */
void stay_config_free(struct stay_config *config);
STAY_DEFINE_AUTO(struct stay_config, stay_config_free)
