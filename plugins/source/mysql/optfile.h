/* plugins/source/mysql/optfile.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * optfile: option files in the form of ~/.my.cnf, as far as they say how a server is reached.
 *
 * We read them ourselves: the client library would let them overrule our own options, and obey ones
 * that lose connections or run statements.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "place.h"

/**
 * Fills in what @place leaves open from the groups [client], [client-server], [client-mariadb] and
 * [backstay] of the file; a later line beats an earlier one. Files that are included count.
 *
 * @path NULL: ~/.my.cnf, where there is one.
 * @return 0; -1 with @err (CONFIG): it cannot be read.
 */
int my_optfile_fill(struct my_place *place, const char *path, struct backstay_error *err)
    __attribute__((warn_unused_result));
