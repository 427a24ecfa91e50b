/* tests/conformance/source/test_mysql_place.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * Urls, option files, constants and grants: what needs no server.
 */
#include "mariadb_fixture.h"
#include "source/mysql/place.h"
#include "source/mysql/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fake_host host;

static int set_up(void **state)
{
    fake_host_init(&host);
    (void)unsetenv("HOME");
    (void)state;
    return 0;
}

static int tear_down(void **state)
{
    fake_host_free(&host);
    (void)state;
    return 0;
}

static struct my options(void)
{
    return (struct my){.host = &host.abi, .ssl_verify = -1};
}

static struct my_place place_of(const struct my *my, const char *url)
{
    struct backstay_error err = {.size = sizeof err};
    struct my_place place;

    assert_ok(my_place_read(&place, my, url, &err), err);
    return place;
}

/* ---- urls */

static void a_url_is_taken_apart_and_decoded(void **state)
{
    struct my my = options();
    struct my_place place = place_of(
        &my,
        "mysql://us%40er:p%2Fw%3A%25@db.example:3307/sh%20op?ssl_ca=%2Fca.pem&ssl_verify=false");

    (void)state;
    assert_string_equal(place.host, "db.example");
    assert_int_equal(place.port, 3307);
    assert_string_equal(place.user, "us@er");
    assert_string_equal(place.password, "p/w:%");
    assert_string_equal(place.database, "sh op");
    assert_string_equal(place.ssl_ca, "/ca.pem");
    assert_int_equal(place.ssl_verify, 0);
    assert_null(place.socket);
    assert_false(my_place_is_local(&place));
    my_place_free(&place);
}

static void short_urls_leave_the_rest_open(void **state)
{
    struct my my = options();
    struct my_place place = place_of(&my, "mariadb:///?socket=/run/x.sock");

    (void)state;
    assert_null(place.host);
    assert_null(place.user);
    assert_null(place.database);
    assert_string_equal(place.socket, "/run/x.sock");
    assert_true(my_place_is_local(&place));
    my_place_free(&place);
    place = place_of(&my, "mysql://[::1]:33/");
    assert_string_equal(place.host, "::1");
    assert_int_equal(place.port, 33);
    assert_true(my_place_is_local(&place));
    my_place_free(&place);
    place = place_of(&my, "mysql://u@10.0.0.127");
    assert_false(my_place_is_local(&place));
    my_place_free(&place);
}

static void a_wrong_url_is_refused_without_being_repeated(void **state)
{
    static const struct {
        const char *url;
        const char *why;
    } rows[] = {
        {"postgres://u:geheim@h/d", "it begins with neither mysql:// nor mariadb://"},
        {"mysql://u:geheim%zz@h/d", "user or password has a wrong %XX"},
        {"mysql://u:geheim%00@h/d", "user or password has a wrong %XX"},
        {"mysql://u:geheim@h:99999/d", "the port is none"},
        {"mysql://u:geheim@h:-1/d", "the port is none"},
        {"mysql://u:geheim@[::1/d", "an address in brackets does not end"},
        {"mysql://u:geheim@[::1]x/d", "something stands behind an address in brackets"},
        {"mysql://u:geheim@h/a/b", "more than a database follows the host"},
        {"mysql://u:geheim@h/d?ssl_verify=maybe", "\"ssl_verify\" is neither true nor false"},
        {"mysql://u:geheim@h/d?geheim=1", "a parameter is unknown; socket, ssl_ca, ssl_cert, "
                                          "ssl_key and ssl_verify are known"},
    };
    struct my my = options();

    (void)state;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct backstay_error err = {.size = sizeof err};
        struct my_place place;
        stay_auto_str char *text =
            stay_strf("the url of the server: %s; mysql://USER:PASSWORD@HOST:PORT/DATABASE is the "
                      "form, other characters as %%XX",
                      rows[i].why);
        assert_int_equal(my_place_read(&place, &my, rows[i].url, &err), -1);
        assert_int_equal(err.kind, BACKSTAY_ERR_CONFIG);
        assert_string_equal(err.text, text);
    }
}

static void options_fill_in_what_the_url_leaves_open(void **state)
{
    struct my my = options();

    (void)state;
    my.url = "mysql://db.example/one";
    my.user = "backup";
    my.password = "secret";
    my.database = "two";
    my.ssl_ca = "/ca";
    struct my_place place = place_of(&my, my.url);
    assert_string_equal(place.user, "backup");
    assert_string_equal(place.password, "secret");
    assert_string_equal(place.database, "two");
    assert_string_equal(place.ssl_ca, "/ca");
    my_place_free(&place);
    /* Our password is not for a server that somebody restores to. */
    place = place_of(&my, "mysql://other.example/x");
    assert_null(place.user);
    assert_null(place.password);
    assert_string_equal(place.database, "x");
    my_place_free(&place);
}

/* ---- option files */

static char *write_file(const char *text)
{
    char path[] = "/tmp/backstay-cnf-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    return stay_strdup(path);
}

static void an_option_file_is_read_by_its_rules(void **state)
{
    stay_auto_str char *path = write_file("[mysqld]\nuser=wrong\nport=1\n"
                                          "; a comment\n# another\n"
                                          "[client]\n  user = first\nhost=db # where\n"
                                          "password=\"a#b \\\\ \\\"c\"\nport=3308\n"
                                          "[mysql]\ndatabase=wrong\n"
                                          "[backstay]\nuser='second'\nssl_ca=/a\\sb\n"
                                          "skip-ssl-verify-server-cert\n");
    struct my my = options();

    (void)state;
    my.option_file = path;
    struct my_place place = place_of(&my, NULL);
    (void)unlink(path);
    assert_string_equal(place.user, "second");
    assert_string_equal(place.host, "db");
    assert_string_equal(place.password, "a#b \\ \"c");
    assert_int_equal(place.port, 3308);
    assert_null(place.database);
    assert_string_equal(place.ssl_ca, "/a b");
    assert_int_equal(place.ssl_verify, 0);
    my_place_free(&place);
}

static void an_option_file_does_not_overrule_the_url(void **state)
{
    stay_auto_str char *path =
        write_file("[client]\nuser=x\npassword=y\nhost=z\nsocket=/s\nport=1\ndatabase=d\n");
    struct my my = options();

    (void)state;
    my.option_file = path;
    my.url = "mysql://me@here";
    struct my_place place = place_of(&my, my.url);
    (void)unlink(path);
    assert_string_equal(place.user, "me");
    assert_null(place.password);
    assert_string_equal(place.host, "here");
    assert_null(place.socket);
    assert_int_equal(place.port, 0);
    assert_string_equal(place.database, "d");
    my_place_free(&place);
}

static void an_option_file_that_includes_itself_is_refused(void **state)
{
    stay_auto_str char *path = write_file("");
    stay_auto_str char *text = stay_strf("!include %s\n", path);
    struct my my = options();
    struct backstay_error err = {.size = sizeof err};
    struct my_place place;
    FILE *file = fopen(path, "we");

    (void)state;
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    my.option_file = path;
    int r = my_place_read(&place, &my, NULL, &err);
    (void)unlink(path);
    stay_auto_str char *expected =
        stay_strf("read the option file %s: Too many levels of symbolic links", path);
    assert_int_equal(r, -1);
    assert_string_equal(err.text, expected);
}

/* ---- constants */

static void assert_literal(const char *data, size_t len, const char *expected)
{
    struct plug_bytes sql = {0};

    my_add_literal(&sql, data, len);
    assert_string_equal(sql.data, expected);
    plug_bytes_free(&sql);
}

static void constants_mean_the_same_in_every_mode(void **state)
{
    (void)state;
    assert_literal("", 0, "''");
    assert_literal("plain \"text\"", 12, "'plain \"text\"'");
    assert_literal("it's", 4, "_utf8mb4 X'69742773'");
    assert_literal("a\\b", 3, "_utf8mb4 X'615C62'");
    assert_literal("\xc3\xa4", 2, "_utf8mb4 X'C3A4'");
    assert_literal("a\0b", 3, "_utf8mb4 X'610062'");
    assert_literal("\xff\x00", 2, "X'FF00'");
    assert_literal("\xed\xa0\x80", 3, "X'EDA080'");
}

static void identifiers_are_quoted(void **state)
{
    stay_auto_str char *name = my_qualified("a`b", "c``d");

    (void)state;
    assert_string_equal(name, "`a``b`.`c````d`");
}

/* ---- grants */

static void rights_are_found_in_grants_on_the_whole_server(void **state)
{
    static const char grants[] =
        "GRANT SELECT, LOCK TABLES, RELOAD ON *.* TO `a`@`%` WITH GRANT OPTION\n"
        "GRANT `RELOAD ON *.* TO `@`%` TO `a`@`%`\n"
        "GRANT EVENT, TRIGGER ON `shop`.* TO `a`@`%`\n";

    (void)state;
    assert_true(my_grants_have(grants, "RELOAD"));
    assert_true(my_grants_have(grants, "LOCK TABLES"));
    assert_true(my_grants_have(grants, "SELECT"));
    assert_false(my_grants_have(grants, "EVENT"));
    assert_false(my_grants_have(grants, "LOCK"));
    assert_false(my_grants_have("GRANT USAGE ON *.* TO x\n", "RELOAD"));
    assert_true(my_grants_have("GRANT ALL PRIVILEGES ON *.* TO x", "RELOAD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart_and_decoded),
        cmocka_unit_test(short_urls_leave_the_rest_open),
        cmocka_unit_test(a_wrong_url_is_refused_without_being_repeated),
        cmocka_unit_test(options_fill_in_what_the_url_leaves_open),
        cmocka_unit_test(an_option_file_is_read_by_its_rules),
        cmocka_unit_test(an_option_file_does_not_overrule_the_url),
        cmocka_unit_test(an_option_file_that_includes_itself_is_refused),
        cmocka_unit_test(constants_mean_the_same_in_every_mode),
        cmocka_unit_test(identifiers_are_quoted),
        cmocka_unit_test(rights_are_found_in_grants_on_the_whole_server),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
