/* src/base/base.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * base: everything of this layer in one include.
 */
#pragma once

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/queue.h"
#include "base/str.h"
#include "base/vec.h"
#include "base/window.h"
