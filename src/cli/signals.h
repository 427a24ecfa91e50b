/* src/cli/signals.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * signals: SIGINT, SIGTERM and SIGHUP ask a run to stop; the second of them ends the program at
 * once, as if nobody had caught it.
 *
 * Layer: cli. Thread-safety: one thread, before others start.
 */
#pragma once

#include "base/base.h"

/** From now on the signals set @cancel, which must outlive the program's threads. SIGPIPE is
 * ignored: a closed pipe is an error of the write. */
void stay_signals_catch(struct stay_cancel *cancel);

/** Back to what they were. */
void stay_signals_release(void);
