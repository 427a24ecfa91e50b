/* src/cli/confirm.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/confirm.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { ANSWER_MAX = 256, WAIT_MS = 100 };

bool stay_confirm_possible(const struct stay_cli *cli)
{
    return isatty(STDIN_FILENO) && isatty(fileno(cli->messages));
}

/* read(2) would go on after Ctrl-C (SA_RESTART), poll(2) does not. */
static int await_input(struct stay_cli *cli, struct stay_err *err)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    for (;;) {
        if (stay_cancelled(&cli->cancel))
            return stay_fail_cancelled(err);
        int n = poll(&input, 1, WAIT_MS);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return stay_fail_errno(err, STAY_ERR_IO, "wait for an answer");
    }
}

int stay_confirm_ask(struct stay_cli *cli, const char *question, char **out, struct stay_err *err)
{
    char answer[ANSWER_MAX];

    (void)fprintf(cli->messages, "%s ", question);
    (void)fflush(cli->messages);
    if (await_input(cli, err) < 0)
        return -1;
    ssize_t len = read(STDIN_FILENO, answer, sizeof answer);
    if (len < 0)
        return stay_fail_errno(err, STAY_ERR_IO, "read the answer");
    while (len > 0 && (answer[len - 1] == '\n' || answer[len - 1] == '\r'))
        len--;
    *out = stay_memdup(answer, (size_t)len);
    return 0;
}
