/* src/cli/facts.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/facts.h"

#include "cli/exit.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN_FACTS = 20 };

/* "1,204" */
static const char *grouped(char out[static 32], uint64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, value);
    char *to = out;

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

static void add_count(struct stay_buf *line, uint64_t count, const char *what)
{
    char number[32];

    if (count)
        stay_buf_printf(line, "%s%s %s", strchr(line->data, ';') ? ", " : "; ",
                        grouped(number, count), what);
}

static void print_summary(struct stay_output *output, const struct stay_comparison *comparison)
{
    const uint64_t *counts = comparison->counts;
    stay_auto_buf struct stay_buf line = {0};
    char equal[32];
    char all[32];

    stay_buf_printf(&line, "facts: %s of %s equal", grouped(equal, counts[STAY_FACT_EQUAL]),
                    grouped(all, comparison->in_scope));
    add_count(&line, counts[STAY_FACT_DIFFERENT], "different");
    add_count(&line, counts[STAY_FACT_MISSING], "missing");
    add_count(&line, counts[STAY_FACT_UNEXPECTED], "not expected");
    add_count(&line, counts[STAY_FACT_INCOMPARABLE], "not comparable between these versions");
    stay_output_say(output, "%s\n", line.data);
}

static void print_fact(struct stay_output *output, const struct stay_fact *fact)
{
    stay_auto_str char *line = NULL;

    if (fact->verdict == STAY_FACT_DIFFERENT)
        line = stay_strf("%s: recorded %s, found %s", fact->name, fact->recorded, fact->found);
    else if (fact->verdict == STAY_FACT_MISSING)
        line = stay_strf("%s: recorded %s, not found", fact->name, fact->recorded);
    else
        line = stay_strf("%s: found %s, not recorded", fact->name, fact->found);
    stay_output_disarm(line);
    stay_output_text(output, "  %s\n", line);
}

static size_t print_differences(struct stay_output *output,
                                const struct stay_comparison *comparison)
{
    size_t n = 0;

    for (size_t i = 0; i < comparison->facts.n; i++)
        if (comparison->facts.items[i].verdict != STAY_FACT_INCOMPARABLE && n++ < SHOWN_FACTS)
            print_fact(output, &comparison->facts.items[i]);
    if (n > SHOWN_FACTS)
        stay_output_text(output, "  and %zu more; --json has all\n", n - SHOWN_FACTS);
    return n;
}

int stay_facts_print(struct stay_output *output, const struct stay_comparison *comparison)
{
    enum stay_comparison_outcome outcome = stay_comparison_outcome(comparison);
    uint64_t incomparable = comparison->counts[STAY_FACT_INCOMPARABLE];

    if (outcome != STAY_COMPARISON_NOTHING)
        print_summary(output, comparison);
    size_t n = print_differences(output, comparison);
    if (n)
        stay_log(STAY_LOG_ERROR,
                 "the copy is not what was backed up: %zu fact%s differ%s from the snapshot", n,
                 n == 1 ? "" : "s", n == 1 ? "s" : "");
    if (comparison->damage.kind != STAY_ERR_NONE)
        stay_log(STAY_LOG_ERROR,
                 "not all facts of the snapshot could be read, so not all were compared: %s",
                 comparison->damage.text);
    if (outcome == STAY_COMPARISON_NOTHING && incomparable)
        stay_log(STAY_LOG_WARN,
                 "nothing to compare with: none of the facts is comparable between these versions");
    else if (outcome == STAY_COMPARISON_NOTHING)
        stay_log(STAY_LOG_WARN,
                 "nothing to compare with: the snapshot has no facts about what was restored");
    switch (outcome) {
    case STAY_COMPARISON_EQUAL:
        return STAY_EXIT_OK;
    case STAY_COMPARISON_NOTHING:
        return STAY_EXIT_PARTIAL;
    default:
        return STAY_EXIT_VERIFY;
    }
}

json_t *stay_facts_json(const struct stay_comparison *comparison)
{
    static const char *const outcomes[] = {
        [STAY_COMPARISON_EQUAL] = "equal",
        [STAY_COMPARISON_NOTHING] = "nothing",
        [STAY_COMPARISON_DIFFERENT] = "different",
        [STAY_COMPARISON_DAMAGED] = "damaged",
    };
    bool damaged = comparison->damage.kind != STAY_ERR_NONE;
    json_t *object = json_object();
    json_t *list = json_array();

    (void)json_object_set_new(object, "outcome",
                              json_string(outcomes[stay_comparison_outcome(comparison)]));
    (void)json_object_set_new(object, "in_scope", json_integer((json_int_t)comparison->in_scope));
    for (int i = 0; i < STAY_FACT_VERDICTS; i++)
        (void)json_object_set_new(object, stay_fact_verdict_name((enum stay_fact_verdict)i),
                                  json_integer((json_int_t)comparison->counts[i]));
    (void)json_object_set_new(object, "damage",
                              stay_output_string(damaged ? comparison->damage.text : NULL));
    for (size_t i = 0; i < comparison->facts.n; i++) {
        const struct stay_fact *fact = &comparison->facts.items[i];
        json_t *one = json_object();
        (void)json_object_set_new(one, "name", stay_output_string(fact->name));
        (void)json_object_set_new(one, "verdict",
                                  json_string(stay_fact_verdict_name(fact->verdict)));
        (void)json_object_set_new(one, "recorded", stay_output_string(fact->recorded));
        (void)json_object_set_new(one, "found", stay_output_string(fact->found));
        (void)json_array_append_new(list, one);
    }
    (void)json_object_set_new(object, "differences", list);
    return object;
}
