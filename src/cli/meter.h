/* src/cli/meter.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * meter: shows how far a run is: a line that is redrawn on a terminal, a message every half minute
 * elsewhere.
 *
 * Layer: cli. Thread-safety: one thread starts and stops it; it draws from its own.
 */
#pragma once

#include "base/base.h"
#include "engine/progress.h"

#include <stdio.h>

struct stay_meter;

struct stay_meter_options {
    FILE *to;
    bool terminal;
    bool quiet;        /* show nothing at all */
    int64_t redraw_ns; /* 0: 0.2 s */
    int64_t remind_ns; /* 0: 30 s; where there is no terminal */
};

/**
 * Begins to show @progress, which must outlive the meter.
 *
 * @return 0, or -1 when no thread could be started.
 */
STAY_CHECKED int stay_meter_start(struct stay_meter **out, const struct stay_progress *progress,
                                  const struct stay_meter_options *options, struct stay_err *err);

/** Removes the line and releases the meter. NULL is allowed. */
void stay_meter_free(struct stay_meter *meter);
STAY_DEFINE_AUTO(struct stay_meter, stay_meter_free)

/**
 * The line for one moment: "reading  120/79000 entries  1.2 GiB/2.0 GiB  60%  90.1 MiB/s  ETA 9s".
 *
 * @rate bytes per second; 0: not known.
 * @columns the line is cut to them.
 */
void stay_meter_line(struct stay_buf *out, const struct stay_progress *progress, double rate,
                     size_t columns);
