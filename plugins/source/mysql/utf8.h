/* plugins/source/mysql/utf8.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * utf8: what the server's utf8mb4 takes for characters.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** The length of the character at @at, of @len bytes at most; 0: it is none. */
size_t my_utf8_character(const void *at, size_t len);

/** Whether all of @text is characters. */
bool my_utf8_valid(const void *text, size_t len);
