/* plugins/source/mysql/place.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * place: where a server is and how it is reached: an url taken apart, the single options, an
 * option file; the first of these that says something counts.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "mysql_source.h"

/** Release with my_place_free(). Texts are NULL where nothing is known. */
struct my_place {
    char *host;
    unsigned port; /* 0: the client library's default */
    char *socket;
    char *user;
    char *password;
    char *database;
    char *ssl_ca;
    char *ssl_cert;
    char *ssl_key;
    int ssl_verify; /* 1, 0; -1: yes, unless the server is reached by a socket or on loopback */
    const struct my *my;
};

/**
 * The place that @url names (mysql:// or mariadb://, percent-encoded, ?socket=&ssl_ca=...); with
 * @url NULL, the one of the options. What these leave open is looked up in the option file, unless
 * @url is another than that of the source: it says all about itself.
 *
 * @return 0; -1 with @err (CONFIG), which does not repeat the url.
 */
int my_place_read(struct my_place *out, const struct my *my, const char *url,
                  struct backstay_error *err) __attribute__((warn_unused_result));
void my_place_free(struct my_place *place);

/** A copy, to be released. */
struct my_place my_place_copy(const struct my_place *place);

/** Whether it is reached by a socket or on loopback, where nobody listens in. */
bool my_place_is_local(const struct my_place *place);
