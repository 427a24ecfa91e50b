/* tests/fuzz/fuzz_config.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * config: the input is a configuration. References are not resolved: they may run commands.
 */
#include "fuzz/fuzz.h"
#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto(stay_config_free) struct stay_config *config = NULL;
    struct stay_problems problems = {0};
    struct stay_err err = {0};

    if (stay_config_parse(&config, (const char *)data, size, "fuzz.yaml", &problems, &err) < 0) {
        FUZZ_FAILS_WELL(err, STAY_ERR_CONFIG);
        FUZZ_HOLDS(problems.n > 0);
    } else {
        for (size_t i = 0; i < config->sources.n; i++)
            FUZZ_HOLDS(stay_config_section(&config->sources, config->sources.items[i].name) ==
                       &config->sources.items[i]);
    }
    stay_problems_free(&problems);
    return 0;
}
