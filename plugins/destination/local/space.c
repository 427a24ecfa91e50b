/* plugins/destination/local/space.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Free space. Objects being written count as written, so that several threads cannot together go
 * below the minimum that each of them respects.
 */
#include "local.h"

#include <inttypes.h>
#include <sys/statvfs.h>

struct room {
    uint64_t free_bytes;
    uint64_t total_bytes;
    uint64_t keep_bytes;
};

static int measure(const struct local *self, struct room *room, struct backstay_error *err)
{
    struct statvfs vfs;

    if (fstatvfs(self->root, &vfs) != 0)
        return local_fail_errno(self, err, "look at the free space of %s", self->path);
    room->free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    room->total_bytes = (uint64_t)vfs.f_blocks * vfs.f_frsize;
    room->keep_bytes = self->min_free_bytes;
    if (self->min_free_percent)
        room->keep_bytes =
            (uint64_t)((__uint128_t)room->total_bytes * self->min_free_percent / 100);
    return 0;
}

int local_space_take(struct local *self, const char *name, size_t len, struct backstay_error *err)
{
    struct room room = {0};

    if (self->min_free_bytes == 0 && self->min_free_percent == 0)
        return 0;
    if (measure(self, &room, err) < 0)
        return -1;
    uint64_t wanted = atomic_fetch_add(&self->in_flight_bytes, len) + len;
    if (wanted <= room.free_bytes && room.free_bytes - wanted >= room.keep_bytes)
        return 0;
    local_space_give(self, len);
    return self->host->fail(self->host, err, BACKSTAY_ERR_SPACE,
                            "store %s in %s: %" PRIu64 " bytes of %" PRIu64 " are free, and "
                            "min_free keeps %" PRIu64 " of them; make room there, or lower "
                            "min_free",
                            name, self->path, room.free_bytes, room.total_bytes, room.keep_bytes);
}

void local_space_give(struct local *self, size_t len)
{
    if (self->min_free_bytes || self->min_free_percent)
        (void)atomic_fetch_sub(&self->in_flight_bytes, len);
}

int local_space(void *arg, struct backstay_space *out, struct backstay_error *err)
{
    const struct local *self = arg;
    struct room room = {0};

    if (measure(self, &room, err) < 0)
        return -1;
    out->known = 1;
    out->free_bytes = room.free_bytes > room.keep_bytes ? room.free_bytes - room.keep_bytes : 0;
    out->total_bytes = room.total_bytes;
    return 0;
}
