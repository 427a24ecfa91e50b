/* tests/conformance/destination/test_memory.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The suite over the destination that other tests use: what they prove counts only when it behaves
 * as a real one does.
 */
#include "suite.h"

#include "support/memory_dest.h"

static void open_memory(struct suite_dest *dest)
{
    struct stay_memory_dest *memory = stay_memory_dest_new();

    stay_memory_dest_set_cancel(memory, &dest->cancel);
    dest->ops = stay_memory_dest_ops();
    dest->self = memory;
}

static void reopen_memory(struct suite_dest *dest)
{
    (void)dest; /* nothing is ever closed */
}

static void close_memory(struct suite_dest *dest)
{
    stay_memory_dest_free(dest->self);
}

int main(void)
{
    static const struct suite_factory factory = {open_memory, reopen_memory, close_memory};

    return suite_run(&factory);
}
