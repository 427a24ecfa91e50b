/* src/cli/output.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * output: what a command has to say on standard output: one JSON object, or text for people.
 *
 * Layer: cli. Thread-safety: one thread.
 */
#pragma once

#include "base/base.h"

#include <jansson.h>
#include <stdio.h>

struct stay_output {
    FILE *to;
    bool json;   /* an object is wanted instead of text */
    bool quiet;  /* only what was asked for */
    bool colour; /* a terminal that likes it */
    bool begun;  /* something was written */
};

enum { STAY_JSON_SCHEMA = 1 };

/**
 * Writes @object, which is released, with "schema_version" put first. Texts in it must be UTF-8:
 * see stay_output_string().
 */
STAY_CHECKED int stay_output_json(struct stay_output *output, json_t *object, struct stay_err *err);

/** A JSON string of any bytes: what is not UTF-8 becomes U+FFFD. NULL becomes null. */
json_t *stay_output_string(const char *text);

/** Text that was asked for: not written where JSON is wanted. */
void stay_output_text(struct stay_output *output, const char *fmt, ...) STAY_PRINTF(2, 3);

/** Text about what was done: not written with --quiet either. */
void stay_output_say(struct stay_output *output, const char *fmt, ...) STAY_PRINTF(2, 3);

/** Replaces control characters in @text by '?', in place: names must not steer a terminal. */
void stay_output_disarm(char *text);

/** @return 0, or -1 when not all of the output could be written. */
STAY_CHECKED int stay_output_finish(struct stay_output *output, struct stay_err *err);
