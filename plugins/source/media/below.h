/* plugins/source/media/below.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * below: opens a folder by a path of any length, relative to an open one, without ever following a
 * symbolic link or leaving it.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include <stdbool.h>

/**
 * Opens the folder @path below @dir_fd.
 *
 * @path is written to, and restored.
 * @flags for the last folder: O_PATH or O_RDONLY; those above it are only passed through.
 * @step_by_step true: component by component, as on kernels without openat2(2); becomes true when
 *               this is found to be one.
 * @return the descriptor, or -1 with errno set: ELOOP or ENOTDIR when a part of the path is a
 *         symbolic link or no folder, EXDEV when it would leave @dir_fd.
 */
int media_open_below(int dir_fd, char *path, int flags, bool *step_by_step);
