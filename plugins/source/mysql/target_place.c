/* plugins/source/mysql/target_place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A database takes the place of another one, which is kept.
 */
#include "target.h"

int my_into_check_replaced(struct my_into *into, const struct my_saved *saved,
                           struct backstay_error *err)
{
    (void)saved;
    return into->target->host->fail(into->target->host, err, BACKSTAY_ERR_CONFIG,
                                    "\"replace\" is not possible yet");
}

int my_into_replace(struct my_into *into, const struct my_apply *apply, struct backstay_error *err)
{
    (void)apply;
    return my_into_check_replaced(into, NULL, err);
}
