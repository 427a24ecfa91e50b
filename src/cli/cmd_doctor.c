/* src/cli/cmd_doctor.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * backstay doctor: whether sources and destinations can be reached and used, and what to do where
 * they cannot.
 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exit.h"

#include <pthread.h>
#include <string.h>

struct finding {
    int severity; /* enum backstay_severity */
    char *subject;
    char *text;
};

/* What the check of one source or destination says. */
struct diagnosis {
    enum backstay_plugin_kind kind;
    const struct stay_config_section *section;
    STAY_VEC(struct finding) findings;
    pthread_mutex_t mutex; /* over the findings: plugins report from any thread */
    int worst;
    struct stay_err error; /* kind not NONE: it could not be looked at */
};

static const char *const marks[] = {
    [BACKSTAY_OK] = "ok",
    [BACKSTAY_INFO] = "info",
    [BACKSTAY_WARNING] = "WARN",
    [BACKSTAY_BAD] = "BAD",
};

static const char *const severities[] = {
    [BACKSTAY_OK] = "ok",
    [BACKSTAY_INFO] = "info",
    [BACKSTAY_WARNING] = "warning",
    [BACKSTAY_BAD] = "bad",
};

static const char *kind_of(const struct diagnosis *diagnosis)
{
    return diagnosis->kind == BACKSTAY_SOURCE ? "source" : "destination";
}

static void take_finding(struct backstay_report *abi, int severity, const char *subject,
                         const char *fmt, ...) STAY_PRINTF(4, 5);

static void take_finding(struct backstay_report *abi, int severity, const char *subject,
                         const char *fmt, ...)
{
    struct diagnosis *diagnosis = abi->ctx;
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    stay_log_redact(text);
    if (severity < BACKSTAY_OK || severity > BACKSTAY_BAD)
        severity = BACKSTAY_BAD;
    (void)pthread_mutex_lock(&diagnosis->mutex);
    *stay_vec_push(&diagnosis->findings) = (struct finding){severity, stay_strdup(subject), text};
    diagnosis->worst = STAY_MAX(diagnosis->worst, severity);
    (void)pthread_mutex_unlock(&diagnosis->mutex);
}

/* A preflight reports findings; facts belong to a probe. */
static void ignore_fact(struct backstay_report *abi, const char *name, const char *value)
{
    (void)abi;
    (void)name;
    (void)value;
}

static int examine(struct stay_cli *cli, struct diagnosis *diagnosis, struct stay_err *err)
{
    struct backstay_report report = {
        .size = sizeof report, .ctx = diagnosis, .finding = take_finding, .fact = ignore_fact};
    const char *name = diagnosis->section->name;

    if (diagnosis->kind == BACKSTAY_SOURCE) {
        stay_auto(stay_source_free) struct stay_source *source = NULL;
        if (stay_cli_open_source(cli, name, &source, err) < 0)
            return -1;
        return stay_source_check(source, &report, err);
    }
    stay_auto(stay_dest_free) struct stay_dest *dest = NULL;
    if (stay_cli_open_dest(cli, name, false, &dest, err) < 0)
        return -1;
    return stay_dest_check(dest, &report, err);
}

static void release(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->findings.n; i++) {
        free(diagnosis->findings.items[i].subject);
        free(diagnosis->findings.items[i].text);
    }
    stay_vec_free(&diagnosis->findings);
    (void)pthread_mutex_destroy(&diagnosis->mutex);
}

/* ---- what is said */

static json_t *diagnosis_json(const struct diagnosis *diagnosis)
{
    bool failed = diagnosis->error.kind != STAY_ERR_NONE;
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < diagnosis->findings.n; i++) {
        const struct finding *finding = &diagnosis->findings.items[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "severity",
                                                    severities[finding->severity], "subject",
                                                    stay_output_string(finding->subject), "text",
                                                    stay_output_string(finding->text)));
    }
    (void)json_object_set_new(object, "kind", json_string(kind_of(diagnosis)));
    (void)json_object_set_new(object, "name", stay_output_string(diagnosis->section->name));
    (void)json_object_set_new(object, "type", stay_output_string(diagnosis->section->type));
    (void)json_object_set_new(object, "state", json_string(severities[diagnosis->worst]));
    (void)json_object_set_new(object, "findings", list);
    (void)json_object_set_new(object, "error",
                              stay_output_string(failed ? diagnosis->error.text : NULL));
    return object;
}

/* A text may have several lines: statements to run, each to be copied as it stands. */
static void print_finding(struct stay_output *output, const struct finding *finding, int width)
{
    stay_auto_str char *subject = stay_strdup(finding->subject);
    stay_auto_str char *text = stay_strdup(finding->text);
    char *rest = text;
    char *line = strsep(&rest, "\n");

    stay_output_disarm(subject);
    stay_output_disarm(line);
    stay_output_text(output, "  %-4s  %-*s  %s\n", marks[finding->severity], width, subject, line);
    while ((line = strsep(&rest, "\n"))) {
        stay_output_disarm(line);
        stay_output_text(output, "  %-4s  %-*s  %s\n", "", width, "", line);
    }
}

static void print_diagnosis(struct stay_cli *cli, const struct diagnosis *diagnosis)
{
    const struct finding unreachable = {BACKSTAY_BAD, (char *)"", (char *)diagnosis->error.text};
    size_t width = 0;

    for (size_t i = 0; i < diagnosis->findings.n; i++)
        width = STAY_MAX(width, strlen(diagnosis->findings.items[i].subject));
    stay_output_text(&cli->output, "%s %s (%s)\n", kind_of(diagnosis), diagnosis->section->name,
                     diagnosis->section->type);
    for (size_t i = 0; i < diagnosis->findings.n; i++)
        print_finding(&cli->output, &diagnosis->findings.items[i], (int)width);
    if (diagnosis->error.kind != STAY_ERR_NONE)
        stay_output_text(&cli->output, "  %-4s  %s\n", marks[unreachable.severity],
                         unreachable.text);
}

/* ---- all of them */

/* What became of all, the first that is bad before the others. */
struct rounds {
    json_t *list;
    size_t seen;
    int worst;
    int code;
};

/* Whatever keeps a plugin from doing its work is its own trouble; the rest is ours. */
static int code_of(const struct diagnosis *diagnosis)
{
    const struct stay_err *error = &diagnosis->error;

    if (error->kind != STAY_ERR_NONE && error->origin == STAY_ORIGIN_SELF)
        return stay_exit_code(&diagnosis->error, 0);
    return diagnosis->kind == BACKSTAY_SOURCE ? STAY_EXIT_SOURCE : STAY_EXIT_DESTINATION;
}

static int visit(struct stay_cli *cli, enum backstay_plugin_kind kind,
                 const struct stay_config_section *section, struct rounds *rounds,
                 struct stay_err *err)
{
    struct diagnosis diagnosis = {.kind = kind, .section = section};

    (void)pthread_mutex_init(&diagnosis.mutex, NULL);
    if (examine(cli, &diagnosis, &diagnosis.error) < 0)
        diagnosis.worst = BACKSTAY_BAD;
    bool stopped = stay_cancelled(&cli->cancel);
    if (!stopped) {
        print_diagnosis(cli, &diagnosis);
        (void)json_array_append_new(rounds->list, diagnosis_json(&diagnosis));
        if (diagnosis.worst == BACKSTAY_BAD && rounds->worst < BACKSTAY_BAD)
            rounds->code = code_of(&diagnosis);
        else if (diagnosis.worst == BACKSTAY_WARNING && rounds->worst < BACKSTAY_WARNING)
            rounds->code = STAY_EXIT_PARTIAL;
        rounds->worst = STAY_MAX(rounds->worst, diagnosis.worst);
        rounds->seen++;
    }
    release(&diagnosis);
    return stopped ? stay_fail_cancelled(err) : 0;
}

static bool is_wanted(const struct stay_texts *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return names->n == 0;
}

static int visit_all(struct stay_cli *cli, enum backstay_plugin_kind kind,
                     const struct stay_config_sections *sections, struct rounds *rounds,
                     struct stay_err *err)
{
    for (size_t i = 0; i < sections->n; i++)
        if (is_wanted(cli->operands, sections->items[i].name) &&
            visit(cli, kind, &sections->items[i], rounds, err) < 0)
            return -1;
    return 0;
}

static int check_names(struct stay_cli *cli, struct stay_err *err)
{
    const struct stay_config_sections *const kinds[] = {&cli->config->sources,
                                                        &cli->config->destinations};
    STAY_VEC(const char *) names = {0};
    const char *unknown = NULL;

    for (size_t k = 0; k < STAY_COUNT(kinds); k++)
        for (size_t i = 0; i < kinds[k]->n; i++)
            *stay_vec_push(&names) = kinds[k]->items[i].name;
    for (size_t i = 0; i < cli->operands->n && unknown == NULL; i++)
        if (stay_config_section(kinds[0], cli->operands->items[i]) == NULL &&
            stay_config_section(kinds[1], cli->operands->items[i]) == NULL)
            unknown = cli->operands->items[i];
    const char *nearest = unknown ? stay_str_nearest(unknown, names.items, names.n) : NULL;
    stay_vec_free(&names);
    if (unknown == NULL)
        return 0;
    return stay_fail(err, STAY_ERR_USAGE, "no source or destination is named `%s`%s%s%s", unknown,
                     nearest ? ", did you mean `" : "", nearest ? nearest : "",
                     nearest ? "`?" : "");
}

static int run_doctor(struct stay_cli *cli, const void *options, struct stay_err *err)
{
    struct rounds rounds = {.code = STAY_EXIT_OK};

    (void)options;
    if (stay_cli_config(cli, err) < 0 || check_names(cli, err) < 0)
        return -1;
    rounds.list = json_array();
    int rc = visit_all(cli, BACKSTAY_SOURCE, &cli->config->sources, &rounds, err);
    if (rc == 0)
        rc = visit_all(cli, BACKSTAY_DESTINATION, &cli->config->destinations, &rounds, err);
    if (rc == 0 && rounds.seen == 0)
        rc =
            stay_fail(err, STAY_ERR_CONFIG, "the configuration has no sources and no destinations");
    if (rc == 0 && cli->output.json)
        rc = stay_output_json(
            &cli->output,
            json_pack("{s:s, s:O}", "state", severities[rounds.worst], "checks", rounds.list), err);
    json_decref(rounds.list);
    return rc < 0 ? -1 : rounds.code;
}

const struct stay_command stay_cmd_doctor = {
    .name = "doctor",
    .group = "Look",
    .summary = "check that sources and destinations can be reached and used",
    .operands = "[NAME...]",
    .description =
        "Connects to each named source and destination (all, when none is named), looks at rights, "
        "versions and space, changes nothing, and says what to do where something is not as it "
        "must be. One that cannot be reached does not keep the others from being looked at.\n\n"
        "The exit code is 3 where there are warnings, 14 or 13 where a source or a destination "
        "cannot be used.",
    .least = 0,
    .most = STAY_OPERANDS_ANY,
    .run = run_doctor,
};
