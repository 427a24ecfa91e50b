/* plugins/shared/throwaway.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "throwaway.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { START_MS = 60000, POLL_MS = 10, NAME_BYTES = 63, SUM_BYTES = 9, MIB = 1 << 20 };

/* ---- ends */

bool plug_throwaway_is_kept(const struct backstay_scratch *scratch)
{
    return BACKSTAY_HAS(scratch, keep_until_ns) && scratch->keep_until_ns > 0;
}

int64_t plug_throwaway_expires(const struct backstay_scratch *scratch, int64_t time_ns)
{
    const int64_t second = 1000000000;

    if (plug_throwaway_is_kept(scratch))
        return (scratch->keep_until_ns + second - 1) / second;
    return time(NULL) + time_ns / second;
}

bool plug_throwaway_is_over(const char *text)
{
    struct plug_marker marker;

    if (!plug_marker_parse(&marker, text, strlen(text)))
        return false;
    bool over = time(NULL) > marker.expires ||
                (plug_marker_is_ours(&marker) && !marker.kept && plug_marker_is_over(&marker));
    plug_marker_free(&marker);
    return over;
}

/* ---- names */

void plug_throwaway_add_base(struct plug_bytes *out, const char *prefix)
{
    unsigned char random[6];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        abort();
    plug_bytes_text(out, prefix);
    for (size_t i = 0; i < sizeof random; i++)
        plug_bytes_format(out, "%02x", random[i]);
}

char *plug_throwaway_name(const char *base, size_t base_len, const char *name)
{
    size_t room = NAME_BYTES - base_len - 1;
    size_t len = strlen(name);
    unsigned long sum = 5381;

    if (len <= room)
        return plug_strf("%.*s_%s", (int)base_len, base, name);
    for (size_t i = 0; i < len; i++)
        sum = plug_mix(sum ^ (unsigned char)name[i]);
    len = room - SUM_BYTES;
    while (len && ((unsigned char)name[len] & 0xc0) == 0x80)
        len--;
    return plug_strf("%.*s_%.*s_%08lx", (int)base_len, base, (int)len, name, sum & 0xffffffff);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-./", c));
}

void plug_throwaway_add_url(struct plug_bytes *out, const char *text)
{
    for (; *text; text++)
        plug_bytes_format(out, is_plain(*text) ? "%c" : "%%%02X", (unsigned char)*text);
}

void plug_throwaway_add_word(struct plug_bytes *out, const char *text)
{
    size_t plain = 0;

    while (is_plain(text[plain]))
        plain++;
    if (plain && text[plain] == '\0') {
        plug_bytes_text(out, text);
        return;
    }
    plug_bytes_text(out, "'");
    for (; *text; text++) {
        if (*text == '\'')
            plug_bytes_text(out, "'\\'");
        plug_bytes_add(out, text, 1);
    }
    plug_bytes_text(out, "'");
}

/* ---- the machine */

/* The number after @key in a file of the kernel; @otherwise when it has none. */
static int64_t number_in(const char *path, const char *key, int64_t otherwise)
{
    char text[4096];
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file)
        (void)fclose(file);
    text[n] = '\0';
    char *at = strstr(text, key);
    char *end = at;
    int64_t number = at ? strtoll(at + strlen(key), &end, 10) : 0;
    return number > 0 && end != at + strlen(key) ? number : otherwise;
}

int64_t plug_throwaway_memory_mib(void)
{
    const int64_t unlimited = INT64_MAX;
    int64_t here = number_in("/proc/meminfo", "MemAvailable:", 512 * 1024) * 1024;
    int64_t share = number_in("/sys/fs/cgroup/memory.max", "", unlimited);
    int64_t older = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", "", unlimited);

    return PLUG_MIN(here, PLUG_MIN(share, older)) / MIB;
}

int64_t plug_throwaway_between(int64_t least, int64_t value, int64_t most)
{
    return PLUG_MAX(least, PLUG_MIN(value, most));
}

/* ---- starting */

bool plug_throwaway_is_full(const char *said)
{
    static const char *const words[] = {"No space left", "isk full", "uota exceeded",
                                        "out of disk space", "with error 28"};

    for (size_t i = 0; i < PLUG_COUNT(words); i++)
        if (strstr(said, words[i]))
            return true;
    return false;
}

int plug_throwaway_wait(const struct plug_server *server,
                        int (*answers)(void *ctx, struct backstay_error *err), void *ctx,
                        struct backstay_error *err)
{
    const struct backstay_host *host = server->host;

    for (int ms = 0; ms < START_MS; ms += POLL_MS) {
        PLUG_AUTO_FREE char *ended = NULL;
        int r = answers(ctx, err);
        if (r != 0)
            return r > 0 ? 0 : -1;
        if (host->cancelled(host))
            return host->fail(host, err, BACKSTAY_ERR_CANCELLED, "stopped");
        ended = plug_server_ended(server->path);
        if (ended)
            return host->fail(host, err,
                              plug_throwaway_is_full(ended) ? BACKSTAY_ERR_SPACE : BACKSTAY_ERR_IO,
                              "start a scratch instance in %s: %s", server->path, ended);
        (void)poll(NULL, 0, POLL_MS);
    }
    return host->fail(host, err, BACKSTAY_ERR_IO,
                      "start a scratch instance in %s: it does not answer after %d seconds",
                      server->path, START_MS / 1000);
}
