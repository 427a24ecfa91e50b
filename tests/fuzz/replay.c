/* tests/fuzz/replay.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Replays a corpus without libFuzzer: each file as it is, cut off at many places, and with bytes
 * changed, the same ones each time.
 */
#include "fuzz/fuzz.h"
#include "support/random.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { LIMIT = 1 << 20, CUTS = 50, CHANGES = 500 };

/* In memory of just this size, so that a byte read too many is found. */
static void run(const void *data, size_t len)
{
    void *copy = stay_malloc(len ? len : 1);

    memcpy(copy, data, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void change(char *data, size_t len, struct stay_random *random)
{
    static const char often[] = "\0\xff\"\\{}[],:\n0919-/.";

    for (size_t n = 1 + stay_random_below(random, 3); n > 0; n--) {
        size_t at = stay_random_below(random, len);
        if (stay_random_below(random, 2))
            data[at] = often[stay_random_below(random, sizeof often - 1)];
        else
            data[at] ^= (char)(1 << stay_random_below(random, 8));
    }
}

static void replay(const struct stay_buf *file)
{
    struct stay_random random = {file->len};

    run(file->data ? file->data : "", file->len);
    if (file->len == 0)
        return;
    for (size_t i = 0; i < CUTS; i++)
        run(file->data, file->len * i / CUTS);
    for (size_t i = 0; i < CHANGES; i++) {
        stay_auto_str char *copy = stay_memdup(file->data, file->len);
        change(copy, file->len, &random);
        run(copy, file->len);
    }
}

int main(int argc, char **argv)
{
    size_t files = 0;
    FILE *silence = fopen("/dev/null", "we");
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

    if (folder == NULL || silence == NULL) {
        (void)fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    stay_log_setup(silence, STAY_LOG_TEXT, STAY_LOG_ERROR);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        stay_auto_str char *path = stay_strf("%s/%s", argv[1], entry->d_name);
        stay_auto_buf struct stay_buf file = {0};
        struct stay_err err = {0};
        if (entry->d_name[0] == '.')
            continue;
        if (stay_fs_read(&file, path, LIMIT, &err) < 0) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        replay(&file);
        files++;
    }
    (void)closedir(folder);
    (void)fclose(silence);
    printf("%zu files\n", files);
    return files > 0 ? 0 : 1;
}
