/* tests/e2e/make_tree.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Makes trees for end-to-end tests: `make_tree odd FOLDER`, `make_tree random FOLDER SEED ENTRIES`.
 */
#include "support/tree.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    int64_t seed;
    int64_t entries;

    if (argc == 3 && strcmp(argv[1], "odd") == 0) {
        stay_tree_make_odd(argv[2]);
        return 0;
    }
    if (argc == 5 && strcmp(argv[1], "random") == 0 && stay_str_i64(argv[3], &seed) == 0 &&
        stay_str_i64(argv[4], &entries) == 0) {
        stay_tree_make_random(argv[2], (uint64_t)seed, (size_t)entries);
        return 0;
    }
    (void)fprintf(stderr, "usage: make_tree odd FOLDER | random FOLDER SEED ENTRIES\n");
    return 2;
}
