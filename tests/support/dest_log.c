/* tests/support/dest_log.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support/dest_log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>

struct stay_dest_log {
    pthread_mutex_t mutex;
    STAY_VEC(struct stay_dest_entry) entries;
};

struct stay_dest_log *stay_dest_log_new(void)
{
    struct stay_dest_log *log = stay_new(struct stay_dest_log);

    (void)pthread_mutex_init(&log->mutex, NULL);
    return log;
}

void stay_dest_log_free(struct stay_dest_log *log)
{
    if (log == NULL)
        return;
    for (size_t i = 0; i < log->entries.n; i++)
        free((char *)(uintptr_t)log->entries.items[i].name);
    stay_vec_free(&log->entries);
    (void)pthread_mutex_destroy(&log->mutex);
    free(log);
}

void stay_dest_log_add(struct stay_dest_log *log, const struct stay_dest_entry *entry)
{
    struct stay_dest_entry copy = *entry;

    copy.name = stay_strdup(entry->name);
    (void)pthread_mutex_lock(&log->mutex);
    *stay_vec_push(&log->entries) = copy;
    (void)pthread_mutex_unlock(&log->mutex);
}

const struct stay_dest_entry *stay_dest_log_entries(const struct stay_dest_log *log, size_t *n)
{
    *n = log->entries.n;
    return log->entries.items;
}

size_t stay_dest_log_count(const struct stay_dest_log *log, enum stay_dest_op op,
                           const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < log->entries.n; i++) {
        const struct stay_dest_entry *entry = &log->entries.items[i];
        if ((op == STAY_DEST_OP_ANY || entry->op == op) && stay_str_starts(entry->name, prefix))
            count++;
    }
    return count;
}

char *stay_dest_log_text(const struct stay_dest_log *log)
{
    struct stay_buf text = {0};

    for (size_t i = 0; i < log->entries.n; i++) {
        const struct stay_dest_entry *entry = &log->entries.items[i];
        stay_buf_printf(&text, "%s %s %" PRIu64 " = %d\n", stay_dest_op_name(entry->op),
                        entry->name, entry->bytes, entry->outcome);
    }
    return stay_buf_take(&text);
}

const char *stay_dest_op_name(enum stay_dest_op op)
{
    static const char *const names[STAY_DEST_OPS] = {
        [STAY_DEST_OP_ANY] = "any",     [STAY_DEST_OP_PUT] = "put",
        [STAY_DEST_OP_GET] = "get",     [STAY_DEST_OP_PUT_IF_ABSENT] = "put_if_absent",
        [STAY_DEST_OP_LIST] = "list",   [STAY_DEST_OP_REMOVE] = "remove",
        [STAY_DEST_OP_SPACE] = "space", [STAY_DEST_OP_CHECK] = "check",
    };

    return (unsigned)op < STAY_DEST_OPS ? names[op] : "unknown";
}
