/* src/cli/place.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * place: where a restore goes: a folder, a URL, a reference to either (env:NAME, file:PATH), or a
 * scratch place. What is shown of it has no passwords.
 *
 * Layer: cli. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "model/reference.h"

/** The word for a scratch place. */
#define STAY_PLACE_SCRATCH "scratch"

/** Zero-initialise; release with stay_place_free(). */
struct stay_place {
    char *location; /* NULL: a scratch place; it may hold a password */
    char *shown;
};

/**
 * Understands @text as it was given on the command line. Passwords in it are hidden in messages
 * from here on.
 *
 * @resolver for references; relative files are relative to the current folder.
 */
STAY_CHECKED int stay_place_resolve(struct stay_place *out, const char *text,
                                    const struct stay_resolver *resolver, struct stay_err *err);
void stay_place_free(struct stay_place *place);

static inline void stay_place_free_auto(struct stay_place *place)
{
    stay_place_free(place);
}

#define stay_auto_place __attribute__((cleanup(stay_place_free_auto)))

/**
 * @location with "***" for each password: between the user's name and the host of a URL, and after
 * "password=" in a URL or in a string of keywords. The caller frees it.
 *
 * @each called for every password as it stands there; NULL: none.
 */
char *stay_place_mask(const char *location, void (*each)(const char *password));
