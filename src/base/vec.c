/* src/base/vec.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/vec.h"

void *stay_vec_grow_(void *items, size_t *cap, size_t want, size_t size)
{
    if (want <= *cap && items)
        return items;
    size_t grown = *cap + *cap / 2;
    *cap = want > grown ? want : grown;
    if (*cap < 8)
        *cap = 8;
    return stay_realloc(items, *cap, size);
}
