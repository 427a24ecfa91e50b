/* src/cli/entry.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/entry.h"

#include <sys/stat.h>
#include <time.h>

static char type_letter(uint32_t type)
{
    static const char letters[] = "?-dlpcbs";

    return type < sizeof letters - 1 ? letters[type] : '?';
}

static void mode_text(char out[static 11], const struct backstay_entry *entry)
{
    static const char bits[] = "rwxrwxrwx";

    out[0] = type_letter(entry->type);
    for (int i = 0; i < 9; i++)
        out[1 + i] = entry->mode & 1u << (8 - i) ? bits[i] : '-';
    if (entry->mode & S_ISUID)
        out[3] = entry->mode & S_IXUSR ? 's' : 'S';
    if (entry->mode & S_ISGID)
        out[6] = entry->mode & S_IXGRP ? 's' : 'S';
    if (entry->mode & S_ISVTX)
        out[9] = entry->mode & S_IXOTH ? 't' : 'T';
    out[10] = '\0';
}

static void print_details(struct stay_output *output, const struct backstay_entry *entry)
{
    char mode[11];
    char time[40];
    struct tm tm;
    const time_t mtime = (time_t)entry->mtime_s;
    stay_auto_str char *owner = entry->user && entry->group
                                    ? stay_strf("%s:%s", entry->user, entry->group)
                                    : stay_strf("%u:%u", entry->uid, entry->gid);

    if (!(entry->flags & BACKSTAY_ENTRY_HAS_MODE)) {
        stay_output_text(output, "%c %12llu  ", type_letter(entry->type),
                         (unsigned long long)entry->bytes);
        return;
    }
    mode_text(mode, entry);
    (void)strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", localtime_r(&mtime, &tm));
    stay_output_text(output, "%s %-17s %12llu  %s  ", mode, owner, (unsigned long long)entry->bytes,
                     time);
}

void stay_entry_print(struct stay_output *output, const struct stay_manifest_entry *decoded,
                      bool detailed)
{
    const struct backstay_entry *entry = &decoded->entry;
    stay_auto_str char *path = stay_strdup(entry->path_len ? entry->path : ".");

    stay_output_disarm(path);
    if (detailed)
        print_details(output, entry);
    stay_output_text(output, "%s%s", path, entry->type == BACKSTAY_DIR && !detailed ? "/" : "");
    if (detailed && entry->type == BACKSTAY_SYMLINK) {
        stay_auto_str char *target = stay_memdup(entry->target, entry->target_len);
        stay_output_disarm(target);
        stay_output_text(output, " -> %s", target);
    }
    stay_output_text(output, "\n");
}

json_t *stay_entry_json(const struct stay_manifest_entry *decoded)
{
    const struct backstay_entry *entry = &decoded->entry;
    json_t *object = json_object();

    (void)json_object_set_new(object, "path", stay_output_string(entry->path));
    (void)json_object_set_new(object, "type", json_string(stay_manifest_type_name(entry->type)));
    if (entry->flags & BACKSTAY_ENTRY_HAS_MODE) {
        stay_auto_str char *mode = stay_strf("%04o", entry->mode);
        stay_auto_str char *mtime =
            stay_strf("%lld.%09u", (long long)entry->mtime_s, entry->mtime_ns);
        (void)json_object_set_new(object, "mode", json_string(mode));
        (void)json_object_set_new(object, "uid", json_integer(entry->uid));
        (void)json_object_set_new(object, "gid", json_integer(entry->gid));
        (void)json_object_set_new(object, "user", stay_output_string(entry->user));
        (void)json_object_set_new(object, "group", stay_output_string(entry->group));
        (void)json_object_set_new(object, "mtime", json_string(mtime));
    }
    if (entry->type == BACKSTAY_FILE)
        (void)json_object_set_new(object, "bytes", json_integer((json_int_t)entry->bytes));
    if (entry->type == BACKSTAY_SYMLINK)
        (void)json_object_set_new(object, "target", stay_output_string(entry->target));
    if (entry->flags & BACKSTAY_ENTRY_CHANGED)
        (void)json_object_set_new(object, "changed", json_true());
    return object;
}
