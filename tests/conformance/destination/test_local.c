/* tests/conformance/destination/test_local.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The suite over the plugin `local` in a temporary folder.
 */
#include "suite.h"

#include "local_place.h"

static void open_place(struct suite_dest *dest, bool create)
{
    struct local_place *place = dest->ctx;
    const struct stay_setting settings[] = {{.name = "path", .text = place->path}};
    const struct plugin_dest_like like = {"local", settings, 1, &dest->cancel, create};

    assert_ok(plugin_dest_open(&place->dest, &like, &place->err), place->err);
    dest->ops = place->dest.ops;
    dest->self = place->dest.self;
}

static void open_local(struct suite_dest *dest)
{
    assert_int_equal(local_place_setup(&dest->ctx), 0);
    open_place(dest, true);
}

static void reopen_local(struct suite_dest *dest)
{
    struct local_place *place = dest->ctx;

    plugin_dest_close(&place->dest);
    open_place(dest, false);
}

static void close_local(struct suite_dest *dest)
{
    assert_int_equal(local_place_teardown(&dest->ctx), 0);
}

int main(void)
{
    static const struct suite_factory factory = {open_local, reopen_local, close_local};

    return suite_run(&factory);
}
