/* tests/conformance/destination/plugin_dest.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "plugin_dest.h"

#include "support/cmocka.h"

int plugin_dest_open(struct plugin_dest *out, const struct plugin_dest_like *like,
                     struct backstay_error *err)
{
    const struct stay_host_env env = {.name = "test", .jobs = 2, .cancel = like->cancel};
    const struct backstay_plugin *plugin = NULL;
    struct stay_err why = {0};

    *out = (struct plugin_dest){.loader = stay_loader_new(TEST_PLUGIN_FOLDER)};
    assert_ok(stay_loader_get(out->loader, BACKSTAY_DESTINATION, like->type, &plugin, &why), why);
    assert_ok(stay_host_new(&out->host, plugin, like->settings, like->n_settings, &env, &why), why);
    out->ops = plugin->destination;
    int rc = out->ops->open(stay_host_abi(out->host), like->create, &out->self, err);
    if (rc != 0) {
        out->self = NULL;
        plugin_dest_close(out);
    }
    return rc;
}

void plugin_dest_close(struct plugin_dest *dest)
{
    if (dest->self)
        dest->ops->close(dest->self);
    stay_host_free(dest->host);
    stay_loader_free(dest->loader);
    *dest = (struct plugin_dest){0};
}
