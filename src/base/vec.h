/* src/base/vec.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * vec: a typed growing array, as a struct that its user declares with STAY_VEC.
 *
 *     STAY_VEC(struct point) points = {0};
 *     *stay_vec_push(&points) = (struct point){1, 2};
 *     stay_vec_free(&points);
 *
 * Layer: base. Thread-safety: one object belongs to one thread.
 */
#pragma once

#include "base/alloc.h"

#define STAY_VEC(T)                                                                                \
    struct {                                                                                       \
        T *items;                                                                                  \
        size_t n;                                                                                  \
        size_t cap;                                                                                \
    }

/** Makes room for @want elements in all. */
#define stay_vec_reserve(vec, want)                                                                \
    ((vec)->items = stay_vec_grow_((vec)->items, &(vec)->cap, (want), sizeof *(vec)->items))

/** Appends one element and returns its address; its content is not initialised. */
#define stay_vec_push(vec)                                                                         \
    ({                                                                                             \
        __auto_type stay_v = (vec);                                                                \
        stay_vec_reserve(stay_v, stay_v->n + 1);                                                   \
        &stay_v->items[stay_v->n++];                                                               \
    })

/** Releases the array, not what its elements point to. */
#define stay_vec_free(vec)                                                                         \
    ({                                                                                             \
        __auto_type stay_v = (vec);                                                                \
        free(stay_v->items);                                                                       \
        stay_v->items = NULL;                                                                      \
        stay_v->n = stay_v->cap = 0;                                                               \
    })

void *stay_vec_grow_(void *items, size_t *cap, size_t want, size_t size);
