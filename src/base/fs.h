/* src/base/fs.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fs: files and folders: whole reads and writes that are atomic and durable.
 *
 * Layer: base. Thread-safety: no state.
 */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Writes all of @data to @fd, going on after short writes. @path is for the message. */
STAY_CHECKED int stay_fs_write_all(int fd, const char *path, const void *data, size_t len,
                                   struct stay_err *err);

/**
 * Reads the whole of @path into @out (appending).
 *
 * @limit_bytes a larger file is an error of kind CORRUPT.
 * @return 0; -1 (also when the file is not there).
 */
STAY_CHECKED int stay_fs_read(struct stay_buf *out, const char *path, size_t limit_bytes,
                              struct stay_err *err);

/**
 * Replaces @path by @data so that after a crash either the old or the new content is there: writes
 * a temporary file beside it, fsyncs, renames, fsyncs the folder.
 */
STAY_CHECKED int stay_fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                                      struct stay_err *err);

/** Flushes a folder's entries to the disk. */
STAY_CHECKED int stay_fs_sync_folder(const char *path, struct stay_err *err);

/** Creates @path and its missing parents with @mode. */
STAY_CHECKED int stay_fs_mkdirs(const char *path, mode_t mode, struct stay_err *err);

/**
 * Removes a folder with all that is in it, of any depth; symbolic links are removed, never followed.
 * Folders that their owner may not write to are made writable first. A missing one is no error. A
 * mount point in it is one, and what is mounted there stays.
 */
STAY_CHECKED int stay_fs_remove_tree(const char *path, struct stay_err *err);

/** Creates a new folder, mode 0700, named @prefix and six random characters. */
STAY_CHECKED int stay_fs_make_scratch(char **out_path, const char *prefix, struct stay_err *err);

/** An unlinked temporary file in @folder, open for reading and writing. @return 0 or -1. */
STAY_CHECKED int stay_fs_unnamed(int *out_fd, const char *folder, struct stay_err *err);

bool stay_fs_exists(const char *path);
