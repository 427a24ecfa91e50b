/* src/cli/main.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/program.h"

static const char *from_environment(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

int main(int argc, char **argv)
{
    const struct stay_program_world world = {
        .output = stdout, .messages = stderr, .get = from_environment, .signals = true};

    (void)argc;
    return stay_program_run(argv, &world);
}
