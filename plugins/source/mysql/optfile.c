/* plugins/source/mysql/optfile.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "optfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 10 };

struct reading {
    struct my_place found;
    const struct backstay_host *host;
    struct backstay_error *err;
    int depth;
};

/* ---- lines */

static char *trim(char *text)
{
    size_t len;

    text += strspn(text, " \t\r\n");
    len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* A value: in quotes, or up to a # behind a blank; \s \t \n \r \b \\ are a character each. */
static void unquote(char *text)
{
    static const char from[] = "stnrb\\\"'";
    static const char to[] = " \t\n\r\b\\\"'";
    char quote = *text == '"' || *text == '\'' ? *text : '\0';
    char *out = text;

    for (const char *at = text + (quote != '\0'); *at && (quote == '\0' || *at != quote); at++) {
        const char *escape = *at == '\\' && at[1] ? strchr(from, at[1]) : NULL;
        if (quote == '\0' && *at == '#' && at > text && (at[-1] == ' ' || at[-1] == '\t'))
            break;
        *out++ = escape ? to[escape - from] : *at;
        at += escape != NULL;
    }
    *out = '\0';
    if (quote == '\0')
        (void)trim(text);
}

static void set(char **to, const char *value)
{
    free(*to);
    *to = plug_strdup(value);
}

static bool is_name(const char *name, const char *with)
{
    for (; *name && *with; name++, with++)
        if (*name != *with && !(*name == '_' && *with == '-'))
            return false;
    return *name == *with;
}

static void take_option(struct my_place *found, const char *name, const char *value)
{
    const struct {
        const char *name;
        char **text;
    } rows[] = {{"host", &found->host},         {"socket", &found->socket},
                {"user", &found->user},         {"password", &found->password},
                {"database", &found->database}, {"ssl-ca", &found->ssl_ca},
                {"ssl-cert", &found->ssl_cert}, {"ssl-key", &found->ssl_key}};

    for (size_t i = 0; i < PLUG_COUNT(rows); i++)
        if (is_name(name, rows[i].name))
            set(rows[i].text, value);
    if (is_name(name, "port"))
        found->port = (unsigned)strtoul(value, NULL, 10);
    if (is_name(name, "ssl-verify-server-cert"))
        found->ssl_verify = strcmp(value, "0") != 0 && strcasecmp(value, "off") != 0 &&
                            strcasecmp(value, "false") != 0;
    if (is_name(name, "skip-ssl-verify-server-cert") ||
        is_name(name, "disable-ssl-verify-server-cert"))
        found->ssl_verify = 0;
}

static bool is_our_group(const char *line)
{
    static const char *const groups[] = {"[client]", "[client-server]", "[client-mariadb]",
                                         "[backstay]"};

    for (size_t i = 0; i < PLUG_COUNT(groups); i++)
        if (strcmp(line, groups[i]) == 0)
            return true;
    return false;
}

/* ---- files */

static int read_file(struct reading *reading, const char *path);

static int fail_to_read(const struct reading *reading, const char *path)
{
    return reading->host->fail(reading->host, reading->err, BACKSTAY_ERR_CONFIG,
                               "read the option file %s: %s", path, strerror(errno));
}

static int by_name(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 4 && strcmp(entry->d_name + len - 4, ".cnf") == 0;
}

static int read_folder(struct reading *reading, const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, by_name, alphasort);
    int r = 0;

    if (n < 0)
        return fail_to_read(reading, path);
    for (int i = 0; i < n; i++) {
        PLUG_AUTO_FREE char *file = plug_strf("%s/%s", path, entries[i]->d_name);
        if (r == 0)
            r = read_file(reading, file);
        free(entries[i]);
    }
    free(entries);
    return r;
}

/* @ours: whether the current group counts. */
static int take_line(struct reading *reading, char *line, bool *ours)
{
    char *text = trim(line);

    if (strncmp(text, "!includedir ", 12) == 0)
        return read_folder(reading, trim(text + 12));
    if (strncmp(text, "!include ", 9) == 0)
        return read_file(reading, trim(text + 9));
    if (*text == '[')
        *ours = is_our_group(text);
    if (!*ours || strchr("[#;!", *text))
        return 0;
    char *equals = strchr(text, '=');
    char *value = equals ? equals + 1 : text + strlen(text);
    if (equals)
        *equals = '\0';
    value = trim(value);
    unquote(value);
    take_option(&reading->found, trim(text), value);
    return 0;
}

static int read_file(struct reading *reading, const char *path)
{
    PLUG_AUTO_FREE char *line = NULL;
    bool ours = false;
    size_t cap = 0;
    int r = 0;

    if (reading->depth >= DEEPEST) {
        errno = ELOOP;
        return fail_to_read(reading, path);
    }
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail_to_read(reading, path);
    reading->depth++;
    while (r == 0 && getline(&line, &cap, file) >= 0)
        r = take_line(reading, line, &ours);
    if (r == 0 && ferror(file))
        r = fail_to_read(reading, path);
    reading->depth--;
    if (line)
        explicit_bzero(line, cap);
    (void)fclose(file);
    return r;
}

/* ---- what is left open */

static void fill(char **to, char **from)
{
    if (*to == NULL) {
        *to = *from;
        *from = NULL;
    }
}

static void fill_place(struct my_place *place, struct my_place *found)
{
    if (place->host == NULL && place->socket == NULL && place->port == 0) {
        fill(&place->host, &found->host);
        fill(&place->socket, &found->socket);
        place->port = found->port;
    }
    if (place->user == NULL || found->user == NULL || strcmp(place->user, found->user) == 0)
        fill(&place->password, &found->password);
    fill(&place->user, &found->user);
    fill(&place->database, &found->database);
    fill(&place->ssl_ca, &found->ssl_ca);
    fill(&place->ssl_cert, &found->ssl_cert);
    fill(&place->ssl_key, &found->ssl_key);
    if (place->ssl_verify < 0)
        place->ssl_verify = found->ssl_verify;
}

int my_optfile_fill(struct my_place *place, const char *path, struct backstay_error *err)
{
    const char *home = secure_getenv("HOME");
    PLUG_AUTO_FREE char *usual = home ? plug_strf("%s/.my.cnf", home) : NULL;
    struct reading reading = {.found = {.ssl_verify = -1}, .host = place->my->host, .err = err};
    FILE *file = path || usual == NULL ? NULL : fopen(usual, "re");

    if (path == NULL && file == NULL)
        return 0;
    if (file)
        (void)fclose(file);
    int r = read_file(&reading, path ? path : usual);
    if (r == 0)
        fill_place(place, &reading.found);
    my_place_free(&reading.found);
    return r;
}
