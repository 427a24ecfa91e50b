/* plugins/source/media/restore.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * restore: what the parts of a restore share. In order: plan.c makes the folders and decides about
 * every entry, output.c writes contents as the host delivers them, nodes.c makes what has no
 * content, restore.c calls them and finishes the folders, deepest first.
 *
 * Thread-safety: plan and nodes run in one thread; output in as many as the host uses.
 */
#pragma once

#include "apply.h"
#include "place.h"

/** What was decided about an entry, and what became of it. One byte each. */
enum media_state {
    MEDIA_UNDECIDED,
    MEDIA_KEPT,    /* is there already and stays */
    MEDIA_NEW,     /* nothing is in its place */
    MEDIA_REPLACE, /* something is, and makes way */
    MEDIA_FAILED,
    MEDIA_DONE,
    MEDIA_FOLDER, /* was made, or is there, and gets what the entry says at the end */
};

struct media_leaders;

struct media_run {
    const struct media *media;
    const struct backstay_host *host;
    const struct backstay_target *target;
    struct backstay_feed *feed;
    struct media_places places;
    struct media_applier applier;
    int root_fd; /* -1: it does not exist (a dry run) */
    bool root_fresh;
    bool has_nodes;        /* something is left for nodes.c */
    unsigned char *states; /* enum media_state of each entry */
    unsigned char *wanted; /* the bitmap for bulk() */
    struct media_leaders *leaders;
    uint32_t nonce; /* in temporary names */
};

/* ---- plan.c */

/** Decides about every entry and makes the folders. @return 0, or -1: stop. */
int media_plan(struct media_run *run, struct backstay_error *err);

/** The first name of a group of hard links that has, or will have, the content. */
struct media_leaders *media_leaders_new(void);
void media_leaders_free(struct media_leaders *leaders);

/** @return whether @group has a leader; when not and @index is not UINT64_MAX, it becomes it. */
bool media_leaders_find(struct media_leaders *leaders, uint64_t group, uint64_t index,
                        uint64_t *leader);

/* ---- output.c */

struct media_output;

struct media_output *media_output_new(struct media_run *run);
void media_output_free(struct media_output *output);
const struct backstay_bulk *media_output_ops(void);

/* ---- nodes.c */

/** Makes symbolic links, FIFOs, devices and further names of files. @return 0, or -1: stop. */
int media_nodes_make(struct media_run *run, struct backstay_error *err);

/* ---- restore.c */

enum { MEDIA_TEMP_NAME = 48 };

/** A name for @index in its folder until it is complete. */
void media_temp_name(const struct media_run *run, uint64_t index, char out[static MEDIA_TEMP_NAME]);

/** Says why a folder could not be opened, for messages about what is in it. */
const char *media_place_why(int error);

/** Moves @temp to @name in @dir_fd; with @replace 0 only when nothing is there. @return 0 or -1. */
int media_move_in(int dir_fd, const char *temp, const char *name, bool replace);

/** Asks the host whether to stop. @return 0, or -1 with @err set. */
int media_run_cancelled(const struct media_run *run, struct backstay_error *err);
