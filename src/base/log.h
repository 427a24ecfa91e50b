/* src/base/log.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * log: what the program says while it works, on stderr: text for people or JSON lines for machines.
 *
 * The one piece of global state in the project. Secrets are registered once, when they are read,
 * and every message is searched for them: what a library says about a URL cannot leak them.
 *
 * Layer: base. Thread-safety: any thread may log; set up before threads start.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum stay_log_level {
    STAY_LOG_ERROR,
    STAY_LOG_WARN,
    STAY_LOG_NOTE, /* shown by default; hidden by --quiet */
    STAY_LOG_INFO, /* shown by --verbose */
    STAY_LOG_DEBUG /* shown by --debug */
};

enum stay_log_format { STAY_LOG_TEXT, STAY_LOG_JSON };

/** Where messages go and which; the default is text of NOTE and above on stderr. */
void stay_log_setup(FILE *to, enum stay_log_format format, enum stay_log_level most);

/** Whether a message of @level would be written. */
bool stay_log_enabled(enum stay_log_level level);

/** Writes one message (without a newline at its end). */
void stay_log(enum stay_log_level level, const char *fmt, ...) STAY_PRINTF(2, 3);
void stay_vlog(enum stay_log_level level, const char *fmt, va_list ap) STAY_PRINTF(2, 0);

/** From now on @secret is written as "***". Copies it; shorter than 4 bytes is ignored. */
void stay_log_hide(const char *secret);

/** Replaces registered secrets in @text, in place. */
void stay_log_redact(char *text);

/** Called around each message, so that a progress line can step aside; NULL for none. */
void stay_log_around(void (*before)(void *ctx), void (*after)(void *ctx), void *ctx);

/** Forgets the secrets (wiped) and returns to the defaults. */
void stay_log_reset(void);
