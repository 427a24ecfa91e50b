/* plugins/source/media/tally.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tally.h"

#include "mem.h"

#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

void media_tally_add(struct media_tally *tally, mode_t mode, uint64_t bytes)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        tally->files++;
        tally->bytes += bytes;
        break;
    case S_IFDIR:
        tally->folders++;
        break;
    case S_IFLNK:
        tally->symlinks++;
        break;
    case S_IFSOCK:
        tally->sockets++;
        break;
    default:
        tally->others++;
    }
}

void media_tally_merge(struct media_tally *into, const struct media_tally *from)
{
    into->files += from->files;
    into->folders += from->folders;
    into->symlinks += from->symlinks;
    into->others += from->others;
    into->sockets += from->sockets;
    into->bytes += from->bytes;
}

uint64_t media_tally_entries(const struct media_tally *tally)
{
    return tally->files + tally->folders + tally->symlinks + tally->others + tally->sockets;
}

const char *media_tally_fact(const struct media_tally *tally, size_t i, char value[static 24])
{
    static const struct {
        const char *name;
        size_t offset;
    } facts[MEDIA_TALLY_FACTS] = {
        {"media:files", offsetof(struct media_tally, files)},
        {"media:folders", offsetof(struct media_tally, folders)},
        {"media:symlinks", offsetof(struct media_tally, symlinks)},
        {"media:others", offsetof(struct media_tally, others)},
        {"media:bytes", offsetof(struct media_tally, bytes)},
    };
    const uint64_t *figure = (const void *)((const char *)tally + facts[i].offset);

    (void)snprintf(value, 24, "%" PRIu64, *figure);
    return facts[i].name;
}

const char *media_file_system(const char *path)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {
        {EXT4_SUPER_MAGIC, "ext4"},         {XFS_SUPER_MAGIC, "xfs"},
        {BTRFS_SUPER_MAGIC, "btrfs"},       {TMPFS_MAGIC, "tmpfs"},
        {NFS_SUPER_MAGIC, "nfs"},           {CIFS_SUPER_MAGIC, "cifs"},
        {SMB2_SUPER_MAGIC, "cifs"},         {FUSE_SUPER_MAGIC, "fuse"},
        {OVERLAYFS_SUPER_MAGIC, "overlay"}, {F2FS_SUPER_MAGIC, "f2fs"},
        {CEPH_SUPER_MAGIC, "ceph"},         {MSDOS_SUPER_MAGIC, "vfat"},
        {EXFAT_SUPER_MAGIC, "exfat"},       {0x2fc12fc1, "zfs"},
    };
    struct statfs fs;

    if (statfs(path, &fs) != 0)
        return NULL;
    for (size_t i = 0; i < PLUG_COUNT(known); i++)
        if ((unsigned long)fs.f_type == known[i].magic)
            return known[i].name;
    return NULL;
}
