/* tests/support/fake_host.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * fake_host: a host for parts of a plugin that are tested without the program.
 *
 * Layer: tests. Uses: base.
 */
#pragma once

#include "base/base.h"

#include <backstay/plugin.h>

/** Its messages are kept, one line each. */
struct fake_host {
    struct backstay_host abi;
    struct stay_buf log;
    int cancelled;
};

void fake_host_init(struct fake_host *host);
void fake_host_free(struct fake_host *host);
