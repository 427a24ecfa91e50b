/* plugins/source/mysql/place.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "place.h"

#include "optfile.h"

#include <stdlib.h>
#include <string.h>

static int bad_url(const struct my *my, struct backstay_error *err, const char *why)
{
    return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                          "the url of the server: %s; mysql://USER:PASSWORD@HOST:PORT/DATABASE is "
                          "the form, other characters as %%XX",
                          why);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A part of a url without its %XX; NULL when there is a wrong one among them. */
static char *decode(const char *text, size_t len)
{
    char *out = plug_alloc(len + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        out[n] = text[i];
        if (text[i] == '%') {
            int high = i + 2 < len ? digit(text[i + 1]) : -1;
            int low = high >= 0 ? digit(text[i + 2]) : -1;
            if (low < 0 || high * 16 + low == 0) {
                free(out);
                return NULL;
            }
            out[n] = (char)(high * 16 + low);
            i += 2;
        }
        n++;
    }
    out[n] = '\0';
    return out;
}

/* ---- the parts of a url */

static int set_port(struct my_place *place, const char *text, size_t len)
{
    char digits[6] = "";
    char *end;

    if (len == 0)
        return 0;
    if (len >= sizeof digits)
        return -1;
    memcpy(digits, text, len);
    unsigned long port = strtoul(digits, &end, 10);
    if (*end || digits[0] < '0' || digits[0] > '9' || port < 1 || port > 65535)
        return -1;
    place->port = (unsigned)port;
    return 0;
}

/* HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT. NULL: fine; otherwise what is wrong. */
static const char *set_server(struct my_place *place, const char *text, size_t len)
{
    const char *end = text + len;
    const char *close = len && *text == '[' ? memchr(text, ']', len) : NULL;
    const char *colon;

    if (len && *text == '[' && close == NULL)
        return "an address in brackets does not end";
    if (close) {
        colon = close + 1 < end ? close + 1 : NULL;
        if (colon && *colon != ':')
            return "something stands behind an address in brackets";
        place->host = decode(text + 1, (size_t)(close - text - 1));
    } else {
        colon = memchr(text, ':', len);
        place->host = decode(text, colon ? (size_t)(colon - text) : len);
    }
    if (place->host == NULL)
        return "the host has a wrong %XX";
    if (colon && set_port(place, colon + 1, (size_t)(end - colon - 1)) != 0)
        return "the port is none";
    return NULL;
}

static const char *set_account(struct my_place *place, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);

    place->user = decode(text, colon ? (size_t)(colon - text) : len);
    if (colon)
        place->password = decode(colon + 1, len - (size_t)(colon - text) - 1);
    return place->user && (colon == NULL || place->password) ? NULL
                                                             : "user or password has a wrong %XX";
}

static const char *set_parameter(struct my_place *place, const char *text, size_t len)
{
    const struct {
        const char *name;
        char **text;
    } rows[] = {{"socket", &place->socket},
                {"ssl_ca", &place->ssl_ca},
                {"ssl_cert", &place->ssl_cert},
                {"ssl_key", &place->ssl_key}};
    const char *equals = memchr(text, '=', len);
    PLUG_AUTO_FREE char *value =
        equals ? decode(equals + 1, len - (size_t)(equals - text) - 1) : NULL;
    size_t name_len = equals ? (size_t)(equals - text) : 0;

    if (value == NULL)
        return "a parameter is not NAME=VALUE, or has a wrong %XX";
    for (size_t i = 0; i < PLUG_COUNT(rows); i++) {
        if (strlen(rows[i].name) != name_len || strncmp(rows[i].name, text, name_len) != 0)
            continue;
        free(*rows[i].text);
        *rows[i].text = plug_strdup(value);
        return NULL;
    }
    if (name_len != strlen("ssl_verify") || strncmp(text, "ssl_verify", name_len) != 0)
        return "a parameter is unknown; socket, ssl_ca, ssl_cert, ssl_key and ssl_verify are known";
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return "\"ssl_verify\" is neither true nor false";
    place->ssl_verify = strcmp(value, "true") == 0;
    return NULL;
}

static const char *set_parameters(struct my_place *place, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "&");
        const char *why = len ? set_parameter(place, text, len) : NULL;
        if (why)
            return why;
        text += len + (text[len] == '&');
    }
    return NULL;
}

static const char *read_url(struct my_place *place, const char *url)
{
    const char *at = strstr(url, "://");
    size_t scheme = at ? (size_t)(at - url) : 0;

    if (!(scheme == 5 && strncmp(url, "mysql", 5) == 0) &&
        !(scheme == 7 && strncmp(url, "mariadb", 7) == 0))
        return "it begins with neither mysql:// nor mariadb://";
    at += 3;
    size_t authority = strcspn(at, "/?");
    const char *path = at + authority;
    const char *account = memrchr(at, '@', authority);
    const char *why = account ? set_account(place, at, (size_t)(account - at)) : NULL;
    if (account) {
        authority -= (size_t)(account + 1 - at);
        at = account + 1;
    }
    if (why == NULL)
        why = set_server(place, at, authority);
    if (why)
        return why;
    if (*path == '/') {
        size_t len = strcspn(++path, "?");
        if (memchr(path, '/', len))
            return "more than a database follows the host";
        place->database = decode(path, len);
        if (place->database == NULL)
            return "the database has a wrong %XX";
        path += len;
    }
    return *path == '?' ? set_parameters(place, path + 1) : NULL;
}

/* ---- the whole */

static void drop_empty(char **text)
{
    if (*text && **text == '\0') {
        free(*text);
        *text = NULL;
    }
}

static void fill(char **text, const char *otherwise)
{
    drop_empty(text);
    if (*text == NULL && otherwise)
        *text = plug_strdup(otherwise);
}

static void fill_from_options(struct my_place *place, const struct my *my)
{
    drop_empty(&place->host);
    if (place->host == NULL && place->port == 0 && place->socket == NULL) {
        fill(&place->host, my->server_host);
        fill(&place->socket, my->socket);
        place->port = my->port;
    }
    fill(&place->ssl_ca, my->ssl_ca);
    fill(&place->ssl_cert, my->ssl_cert);
    fill(&place->ssl_key, my->ssl_key);
    if (place->ssl_verify < 0)
        place->ssl_verify = my->ssl_verify;
}

int my_place_read(struct my_place *out, const struct my *my, const char *url,
                  struct backstay_error *err)
{
    const char *why = NULL;

    *out = (struct my_place){.my = my, .ssl_verify = -1};
    if (url)
        why = read_url(out, url);
    if (why) {
        my_place_free(out);
        return bad_url(my, err, why);
    }
    fill_from_options(out, my);
    /* Another server's url says all about its account. */
    if (url == NULL || url == my->url) {
        fill(&out->user, my->user);
        fill(&out->password, my->password);
        if (my->database) {
            free(out->database);
            out->database = plug_strdup(my->database);
        }
    }
    drop_empty(&out->user);
    drop_empty(&out->database);
    drop_empty(&out->socket);
    if ((url == NULL || url == my->url) && my_optfile_fill(out, my->option_file, err) != 0) {
        my_place_free(out);
        return -1;
    }
    return 0;
}

void my_place_free(struct my_place *place)
{
    free(place->host);
    free(place->socket);
    free(place->user);
    if (place->password)
        explicit_bzero(place->password, strlen(place->password));
    free(place->password);
    free(place->database);
    free(place->ssl_ca);
    free(place->ssl_cert);
    free(place->ssl_key);
    *place = (struct my_place){0};
}

static char *copy(const char *text)
{
    return text ? plug_strdup(text) : NULL;
}

struct my_place my_place_copy(const struct my_place *place)
{
    return (struct my_place){
        .host = copy(place->host),
        .port = place->port,
        .socket = copy(place->socket),
        .user = copy(place->user),
        .password = copy(place->password),
        .database = copy(place->database),
        .ssl_ca = copy(place->ssl_ca),
        .ssl_cert = copy(place->ssl_cert),
        .ssl_key = copy(place->ssl_key),
        .ssl_verify = place->ssl_verify,
        .my = place->my,
    };
}

bool my_place_is_local(const struct my_place *place)
{
    const char *host = place->host;

    return place->socket || host == NULL || strcmp(host, "localhost") == 0 ||
           strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}
