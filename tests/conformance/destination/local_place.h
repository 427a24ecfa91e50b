/* tests/conformance/destination/local_place.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * local_place: a temporary folder with a destination `local` in it, on a small file system of its
 * own where a test wants that.
 *
 * Layer: tests.
 */
#pragma once

#include "plugin_dest.h"

#include "support/cmocka.h"

struct local_place {
    struct plugin_dest dest;
    struct stay_cancel cancel;
    struct backstay_error err; /* of the last call through the functions below */
    char *folder;              /* the temporary folder */
    char *path;                /* of the destination, "repository" in it */
    bool mounted;              /* @path is a mount point */
};

/** For cmocka: *state becomes a struct local_place in which nothing is open yet. */
int local_place_setup(void **state);
int local_place_teardown(void **state);

/** Opens the destination with path and, where it is not NULL, one more option. @return 0 or -1. */
int local_place_open(struct local_place *place, bool create, const char *option, const char *text);

/** The same, failing the test when it fails. */
void local_place_must_open(struct local_place *place, const char *option, const char *text);

/** Makes @path and mounts a tmpfs of @options there ("size=1m"); fails the test when it cannot. */
void local_place_mount(struct local_place *place, const char *options);

/** Stores @len bytes of @mark. @return what put() returned, with place->err. */
int local_place_put(struct local_place *place, const char *name, char mark, size_t len);
int local_place_put_if_absent(struct local_place *place, const char *name, char mark, size_t len);

/** Whether the object is exactly @len bytes of @mark. */
bool local_place_holds(struct local_place *place, const char *name, char mark, size_t len);

/** Whether there is no such object. */
bool local_place_misses(struct local_place *place, const char *name);

/** How many objects a listing gives, or -1. */
int local_place_count(struct local_place *place);

/** How many files lie in the folder of unfinished objects. */
int local_place_unfinished(const struct local_place *place);
