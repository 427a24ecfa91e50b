/* tests/support/memory_dest.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * memory_dest: a destination in memory that passes the conformance suite, logs what is asked of it,
 * and can be looked into, damaged, and set back to any moment of its past.
 *
 *     stay_auto(stay_memory_dest_free) struct stay_memory_dest *memory = stay_memory_dest_new();
 *     stay_auto(stay_dest_free) struct stay_dest *dest =
 *         stay_dest_wrap("memory", stay_memory_dest_ops(), memory, NULL);
 *
 * Closing it through the functions of the ABI keeps the content: it belongs to the object here.
 *
 * Layer: tests. Uses: base. Thread-safety: the functions of stay_memory_dest_ops(), read, write and
 * remove from any thread at once; the setters before threads start; the rest when none runs.
 */
#pragma once

#include "support/dest_log.h"

#include <backstay/plugin.h>

struct stay_memory_dest;

enum { STAY_MEMORY_DEST_MISSING = 1 };

struct stay_memory_dest *stay_memory_dest_new(void);

/** Releases it with its content. NULL is allowed. */
void stay_memory_dest_free(struct stay_memory_dest *memory);
STAY_DEFINE_AUTO(struct stay_memory_dest, stay_memory_dest_free)

/** The functions of the ABI; their self is the struct stay_memory_dest. There is no open(). */
const struct backstay_destination *stay_memory_dest_ops(void);

/** Every call through stay_memory_dest_ops() so far. Belongs to @memory. */
const struct stay_dest_log *stay_memory_dest_log(const struct stay_memory_dest *memory);

/** More bytes than this fail with kind SPACE; 0 (the default): no limit, and space is unknown. */
void stay_memory_dest_set_capacity(struct stay_memory_dest *memory, uint64_t bytes);

/** Where the times of the objects come from; the default is the system's clock. */
void stay_memory_dest_set_clock(struct stay_memory_dest *memory, const struct stay_clock *clock);

/** Calls fail with kind CANCELLED once this says so; NULL (the default): never. */
void stay_memory_dest_set_cancel(struct stay_memory_dest *memory, const struct stay_cancel *cancel);

/** Called before each call through stay_memory_dest_ops(), outside of all locks. NULL: none. */
void stay_memory_dest_set_hook(struct stay_memory_dest *memory,
                               void (*before)(void *ctx, enum stay_dest_op op, const char *name),
                               void *ctx);

/* Looking in from the side; not logged, no hook, no limit. */

/** Appends the object's content to @out (NULL: only asks). @return 0 or STAY_MEMORY_DEST_MISSING.
 */
int stay_memory_dest_read(struct stay_memory_dest *memory, const char *name, struct stay_buf *out);

/** Sets the object's content, whatever it was. */
void stay_memory_dest_write(struct stay_memory_dest *memory, const char *name, const void *data,
                            size_t len);

/** @return 0 or STAY_MEMORY_DEST_MISSING. */
int stay_memory_dest_remove(struct stay_memory_dest *memory, const char *name);

/** The names that begin with @prefix, sorted; the caller frees each and the array. */
char **stay_memory_dest_names(const struct stay_memory_dest *memory, const char *prefix, size_t *n);

/** How many bytes all objects have. */
uint64_t stay_memory_dest_bytes(const struct stay_memory_dest *memory);

/* The past: a crash is a store that ends after the first so many changes. */

/** From now on changes are kept, content included; what is there already is the moment 0. */
void stay_memory_dest_keep_history(struct stay_memory_dest *memory);

/** How many objects were stored or removed since then. */
size_t stay_memory_dest_changes(const struct stay_memory_dest *memory);

/** A new store as @memory was after its first @n changes; without log, hook and limits. */
struct stay_memory_dest *stay_memory_dest_at(const struct stay_memory_dest *memory, size_t n);
