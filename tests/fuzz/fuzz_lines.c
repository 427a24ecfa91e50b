/* tests/fuzz/fuzz_lines.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * lines: the input is a stream of facts, and then one of notes.
 */
#include "engine/lines.h"
#include "fuzz/fuzz.h"

#include <string.h>

/* What is read can be written, and is then read as the same. */
static void check_again(const struct stay_lines *facts)
{
    stay_auto_lines struct stay_lines again = {0};
    stay_auto_buf struct stay_buf text = {0};

    for (size_t i = 0; i < facts->n; i++) {
        const struct stay_line *line = &facts->items[i];
        stay_buf_str(&text, "{\"name\":");
        stay_json_add_string(&text, line->key, strlen(line->key));
        stay_buf_str(&text, ",\"value\":");
        stay_json_add_string(&text, line->value, strlen(line->value));
        stay_buf_str(&text, "}\n");
    }
    stay_lines_parse(&again, text.data ? text.data : "", text.len, STAY_FACTS);
    FUZZ_HOLDS(again.damage.kind == STAY_ERR_NONE);
    FUZZ_HOLDS(again.n == facts->n);
    for (size_t i = 0; i < facts->n; i++) {
        FUZZ_HOLDS(strcmp(again.items[i].key, facts->items[i].key) == 0);
        FUZZ_HOLDS(strcmp(again.items[i].value, facts->items[i].value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stay_auto_lines struct stay_lines facts = {0};
    stay_auto_lines struct stay_lines notes = {0};

    stay_lines_parse(&facts, (const char *)data, size, STAY_FACTS);
    stay_lines_parse(&notes, (const char *)data, size, STAY_NOTES);
    check_again(&facts);
    for (size_t i = 0; i < notes.n; i++)
        FUZZ_HOLDS(notes.items[i].value != NULL);
    return 0;
}
