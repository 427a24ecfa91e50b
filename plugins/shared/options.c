/* plugins/shared/options.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "options.h"

#include <string.h>

const struct backstay_value *plug_value(const struct backstay_host *host, unsigned option)
{
    static const struct backstay_value absent = {.size = sizeof absent};

    return option < host->n_values ? host->values[option] : &absent;
}

const char *plug_text(const struct backstay_host *host, unsigned option)
{
    const struct backstay_value *value = plug_value(host, option);

    return value->set && value->text && value->text[0] ? value->text : NULL;
}

int64_t plug_number(const struct backstay_host *host, unsigned option, int64_t otherwise)
{
    const struct backstay_value *value = plug_value(host, option);

    return value->set ? value->number : otherwise;
}

bool plug_flag(const struct backstay_host *host, unsigned option, bool otherwise)
{
    return plug_number(host, option, otherwise) != 0;
}

const char *plug_target_option(const struct backstay_target *target, const char *key)
{
    for (uint32_t i = 0; target && i < target->n_options; i++)
        if (strcmp(target->options[i].key, key) == 0)
            return target->options[i].value;
    return NULL;
}
