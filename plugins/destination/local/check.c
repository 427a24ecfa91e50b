/* plugins/destination/local/check.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The preflight: what would make a backup fail, or count for less than it seems.
 */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct file_system {
    uint32_t magic;
    int severity;
    const char *name;
    const char *remark;
};

static const struct file_system file_systems[] = {
    {EXT4_SUPER_MAGIC, BACKSTAY_OK, "ext4", ""},
    {XFS_SUPER_MAGIC, BACKSTAY_OK, "xfs", ""},
    {BTRFS_SUPER_MAGIC, BACKSTAY_OK, "btrfs", ""},
    {0x2fc12fc1, BACKSTAY_OK, "zfs", ""},
    {F2FS_SUPER_MAGIC, BACKSTAY_OK, "f2fs", ""},
    {NFS_SUPER_MAGIC, BACKSTAY_INFO, "nfs", ": use a hard mount, so that a pause is not a failure"},
    {CIFS_SUPER_MAGIC, BACKSTAY_INFO, "cifs", ""},
    {SMB2_SUPER_MAGIC, BACKSTAY_INFO, "cifs", ""},
    {FUSE_SUPER_MAGIC, BACKSTAY_INFO, "fuse", ": whether it flushes to the disk is its own affair"},
    {MSDOS_SUPER_MAGIC, BACKSTAY_WARNING, "vfat", ": without a journal, and at most 4 GiB a file"},
    {OVERLAYFS_SUPER_MAGIC, BACKSTAY_WARNING, "overlayfs",
     ": it usually goes away with its container; mount a volume there"},
    {TMPFS_MAGIC, BACKSTAY_WARNING, "tmpfs", ": it is memory and is gone after a restart"},
    {RAMFS_MAGIC, BACKSTAY_WARNING, "ramfs", ": it is memory and is gone after a restart"},
};

static void check_file_system(const struct local *self, struct backstay_report *report)
{
    struct statfs fs;

    if (fstatfs(self->root, &fs) != 0)
        return;
    for (size_t i = 0; i < sizeof file_systems / sizeof file_systems[0]; i++) {
        const struct file_system *known = &file_systems[i];
        if (known->magic == (uint32_t)fs.f_type) {
            report->finding(report, known->severity, "file system", "%s is on %s%s", self->path,
                            known->name, known->remark);
            return;
        }
    }
    report->finding(report, BACKSTAY_INFO, "file system", "%s is on a file system of type 0x%lx",
                    self->path, (unsigned long)fs.f_type);
}

/* Tries what a backup will do, with an empty file. */
static void check_writing(struct local *self, struct backstay_report *report)
{
    struct backstay_error err = {.size = sizeof err};
    struct local_temp temp = {.fd = -1};

    if (local_temp_open(self, &temp, &err) < 0 || fsync(temp.fd) != 0) {
        if (err.kind == BACKSTAY_ERR_NONE)
            (void)local_fail_errno(self, &err, "flush to %s", self->path);
        report->finding(report, BACKSTAY_BAD, "writing", "%s", err.text);
    } else {
        report->finding(report, BACKSTAY_OK, "writing", "%s is writable", self->path);
    }
    local_temp_drop(self, &temp);
    (void)unlinkat(self->root, LOCAL_TMP, AT_REMOVEDIR); /* when it is empty */
}

static void check_rights(const struct local *self, struct backstay_report *report)
{
    struct stat st;

    if (fstat(self->root, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)))
        report->finding(report, BACKSTAY_WARNING, "rights",
                        "others than its owner may write to %s and so remove backups; chmod go-w",
                        self->path);
}

static int check_space(struct local *self, struct backstay_report *report,
                       struct backstay_error *err)
{
    struct backstay_space space = {.size = sizeof space};

    if (local_space(self, &space, err) < 0)
        return -1;
    if (space.free_bytes == 0)
        report->finding(report, BACKSTAY_BAD, "space",
                        "nothing may be written to %s: it is full, or has less free space than "
                        "min_free",
                        self->path);
    else
        report->finding(report, BACKSTAY_OK, "space",
                        "%" PRIu64 " of %" PRIu64 " bytes may be used on %s", space.free_bytes,
                        space.total_bytes, self->path);
    return 0;
}

int local_check(void *arg, struct backstay_report *report, struct backstay_error *err)
{
    struct local *self = arg;

    if (local_check_root(self, err) < 0)
        return -1;
    check_writing(self, report);
    check_rights(self, report);
    check_file_system(self, report);
    if (!self->sync)
        report->finding(report, BACKSTAY_WARNING, "sync",
                        "sync is off: a power cut may lose or damage backups; remove the option");
    return check_space(self, report, err);
}
