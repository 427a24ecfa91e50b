/* src/model/problem.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model/problem.h"

#include <stdio.h>

/* A forged file must not steer the terminal that shows what is wrong with it. */
static void disarm(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void stay_problems_add(struct stay_problems *problems, const char *file, int line, int column,
                       const char *fmt, ...)
{
    stay_auto_str char *message = NULL;
    va_list ap;

    if (problems->total++ >= STAY_PROBLEMS_KEPT)
        return;
    va_start(ap, fmt);
    int len = vasprintf(&message, fmt, ap);
    va_end(ap);
    if (len < 0)
        message = stay_strdup("(out of memory)");
    char *text = stay_strf("%s:%d:%d: %s", file, line, column, message);
    disarm(text);
    problems->texts[problems->n++] = text;
}

int stay_problems_fail(const struct stay_problems *problems, struct stay_err *err)
{
    if (problems->total == 0)
        return 0;
    if (problems->total == 1)
        return stay_fail(err, STAY_ERR_CONFIG, "%s", problems->texts[0]);
    return stay_fail(err, STAY_ERR_CONFIG, "%s (and %zu more)", problems->texts[0],
                     problems->total - 1);
}

void stay_problems_free(struct stay_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        free(problems->texts[i]);
    *problems = (struct stay_problems){0};
}
