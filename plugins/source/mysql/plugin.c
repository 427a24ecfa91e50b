/* plugins/source/mysql/plugin.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The tables of options, and what makes an instance of them.
 */
#include "mysql_source.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPT_URL,
    OPT_HOST,
    OPT_PORT,
    OPT_SOCKET,
    OPT_USER,
    OPT_PASSWORD,
    OPT_DATABASE,
    OPT_OPTION_FILE,
    OPT_SSL_CA,
    OPT_SSL_CERT,
    OPT_SSL_KEY,
    OPT_SSL_VERIFY,
    OPT_DATABASES,
    OPT_TABLES,
    OPT_EXCLUDE_TABLES,
    OPT_STRUCTURE_ONLY,
    OPT_JOBS,
    OPT_CONSISTENCY,
    OPT_LOCK_TIMEOUT,
    OPT_SPLIT,
    OPT_USERS,
    OPT_BIN,
    OPT_SCRATCH_SERVER,
    OPT_SCRATCH_FOLDER,
    OPT_SCRATCH_USER,
    OPT_SCRATCH_TIME,
    OPT_SCRATCH_SPACE,
    OPTIONS
};

static const struct backstay_option *const options[OPTIONS] = {
    [OPT_URL] = PLUG_OPTION("url", BACKSTAY_OPTION_STRING, BACKSTAY_OPTION_SECRET, NULL,
                            "The connection: mysql://user@host/db or mariadb://..., with ?socket=, "
                            "ssl_ca= and the like"),
    [OPT_HOST] = PLUG_OPTION("host", BACKSTAY_OPTION_STRING, 0, NULL,
                             "The server's name or address, instead of a url"),
    [OPT_PORT] = PLUG_OPTION("port", BACKSTAY_OPTION_INT, 0, NULL, "Its port"),
    [OPT_SOCKET] = PLUG_OPTION("socket", BACKSTAY_OPTION_PATH, 0, NULL, "The server's socket file"),
    [OPT_USER] = PLUG_OPTION("user", BACKSTAY_OPTION_STRING, 0, NULL, "The account to connect as"),
    [OPT_PASSWORD] = PLUG_OPTION("password", BACKSTAY_OPTION_STRING, BACKSTAY_OPTION_SECRET, NULL,
                                 "Its password"),
    [OPT_DATABASE] = PLUG_OPTION("database", BACKSTAY_OPTION_STRING, 0, NULL,
                                 "The database, when the url names none or another"),
    [OPT_OPTION_FILE] = PLUG_OPTION(
        "option_file", BACKSTAY_OPTION_PATH, 0, NULL,
        "A file like ~/.my.cnf, read instead of it; its groups [client] and [backstay] count"),
    [OPT_SSL_CA] = PLUG_OPTION(
        "ssl_ca", BACKSTAY_OPTION_PATH, 0, NULL,
        "Certificates of the authorities that the server's certificate is verified with"),
    [OPT_SSL_CERT] = PLUG_OPTION("ssl_cert", BACKSTAY_OPTION_PATH, 0, NULL,
                                 "Our certificate, where the server asks for one"),
    [OPT_SSL_KEY] = PLUG_OPTION("ssl_key", BACKSTAY_OPTION_PATH, 0, NULL, "Its key"),
    [OPT_SSL_VERIFY] = PLUG_OPTION(
        "ssl_verify", BACKSTAY_OPTION_BOOL, 0, NULL,
        "Verify the server's certificate and name; otherwise true unless by socket or on loopback"),
    [OPT_DATABASES] = PLUG_OPTION("databases", BACKSTAY_OPTION_LIST, 0, NULL,
                                  "Several databases of the server in one snapshot, or \"all\""),
    [OPT_TABLES] = PLUG_OPTION("tables", BACKSTAY_OPTION_LIST, 0, NULL,
                               "Patterns with * and ?, \"database.table\": only these tables"),
    [OPT_EXCLUDE_TABLES] = PLUG_OPTION("exclude_tables", BACKSTAY_OPTION_LIST, 0, NULL,
                                       "Patterns: not these tables, neither structure nor rows"),
    [OPT_STRUCTURE_ONLY] =
        PLUG_OPTION("structure_only", BACKSTAY_OPTION_LIST, 0, NULL,
                    "Patterns: tables that are kept without their rows, such as sessions or logs"),
    [OPT_JOBS] = PLUG_OPTION(
        "jobs", BACKSTAY_OPTION_INT, 0, NULL,
        "Connections that read or load at once; otherwise \"threads\" of the configuration"),
    [OPT_CONSISTENCY] = PLUG_OPTION(
        "consistency", BACKSTAY_OPTION_STRING, 0, "auto",
        "How one state is read over several connections: snapshot (without locks), lock (a moment "
        "of a global or of table locks), or auto: the best that the server grants"),
    [OPT_LOCK_TIMEOUT] =
        PLUG_OPTION("lock_timeout", BACKSTAY_OPTION_DURATION, 0, "5s",
                    "The longest that we wait for a lock, and so make others wait behind us"),
    [OPT_SPLIT] = PLUG_OPTION("split", BACKSTAY_OPTION_SIZE, 0, "64MiB",
                              "Tables larger than this are read in several parts at once"),
    [OPT_USERS] = PLUG_OPTION("users", BACKSTAY_OPTION_BOOL, 0, "true",
                              "Keep the accounts and their rights, where we may read them"),
    [OPT_BIN] =
        PLUG_OPTION("bin", BACKSTAY_OPTION_PATH, 0, NULL,
                    "Folder of the server's programs for scratch instances; otherwise searched"),
    [OPT_SCRATCH_SERVER] =
        PLUG_OPTION("scratch_server", BACKSTAY_OPTION_STRING, BACKSTAY_OPTION_SECRET, NULL,
                    "The url of a server for scratch databases, instead of instances of our own"),
    [OPT_SCRATCH_FOLDER] =
        PLUG_OPTION("scratch_folder", BACKSTAY_OPTION_PATH, 0, NULL,
                    "Where scratch instances live; otherwise below $TMPDIR or /var/tmp"),
    [OPT_SCRATCH_USER] = PLUG_OPTION("scratch_user", BACKSTAY_OPTION_STRING, 0, NULL,
                                     "The system user that runs scratch instances when Backstay is "
                                     "root; otherwise mysql or nobody"),
    [OPT_SCRATCH_TIME] = PLUG_OPTION("scratch_time", BACKSTAY_OPTION_DURATION, 0, "24h",
                                     "A scratch instance ends by itself after this"),
    [OPT_SCRATCH_SPACE] = PLUG_OPTION("scratch_space", BACKSTAY_OPTION_SIZE, 0, NULL,
                                      "A scratch instance that grows larger than this is ended"),
};

static const struct backstay_option *const restore_options[] = {
    PLUG_OPTION("database", BACKSTAY_OPTION_STRING, 0, NULL,
                "Which database of the snapshot, when it has several"),
    PLUG_OPTION("table", BACKSTAY_OPTION_LIST, 0, NULL,
                "Only these tables, \"database.table\" or \"table\""),
    PLUG_OPTION("schema_only", BACKSTAY_OPTION_BOOL, 0, NULL, "The structure without rows"),
    PLUG_OPTION("data_only", BACKSTAY_OPTION_BOOL, 0, NULL,
                "The rows, into a structure that is there"),
    PLUG_OPTION("no_owner", BACKSTAY_OPTION_BOOL, 0, NULL,
                "Every DEFINER becomes the account that restores"),
    PLUG_OPTION("jobs", BACKSTAY_OPTION_INT, 0, NULL, "Connections that load at once"),
    PLUG_OPTION("replace", BACKSTAY_OPTION_STRING, 0, NULL,
                "The name of the existing database that is replaced"),
};

static struct my_patterns patterns_of(const struct backstay_host *host, unsigned option)
{
    const struct backstay_value *value = plug_value(host, option);

    return (struct my_patterns){value->items, value->set ? value->n_items : 0};
}

static void read_connection(struct my *my)
{
    const struct backstay_host *host = my->host;

    my->url = plug_text(host, OPT_URL);
    my->server_host = plug_text(host, OPT_HOST);
    my->port = (unsigned)plug_number(host, OPT_PORT, 0);
    my->socket = plug_text(host, OPT_SOCKET);
    my->user = plug_text(host, OPT_USER);
    my->password = plug_text(host, OPT_PASSWORD);
    my->database = plug_text(host, OPT_DATABASE);
    my->option_file = plug_text(host, OPT_OPTION_FILE);
    my->ssl_ca = plug_text(host, OPT_SSL_CA);
    my->ssl_cert = plug_text(host, OPT_SSL_CERT);
    my->ssl_key = plug_text(host, OPT_SSL_KEY);
    my->ssl_verify = (int)plug_number(host, OPT_SSL_VERIFY, -1);
}

static void read_scratch(struct my *my)
{
    const struct backstay_host *host = my->host;

    my->bin = plug_text(host, OPT_BIN);
    my->scratch_server = plug_text(host, OPT_SCRATCH_SERVER);
    my->scratch_folder = plug_text(host, OPT_SCRATCH_FOLDER);
    my->scratch_user = plug_text(host, OPT_SCRATCH_USER);
    my->scratch_time_ns = plug_number(host, OPT_SCRATCH_TIME, 0);
    my->scratch_space_bytes = plug_number(host, OPT_SCRATCH_SPACE, 0);
}

static int read_consistency(struct my *my, struct backstay_error *err)
{
    static const char *const words[] = {
        [MY_AUTO] = "auto", [MY_SNAPSHOT] = "snapshot", [MY_LOCK] = "lock"};
    const char *given = plug_text(my->host, OPT_CONSISTENCY);

    for (size_t i = 0; i < PLUG_COUNT(words); i++) {
        if (given == NULL || strcmp(given, words[i]) == 0) {
            my->consistency = (enum my_consistency)i;
            return 0;
        }
    }
    return my->host->fail(my->host, err, BACKSTAY_ERR_CONFIG,
                          "\"consistency\" is %s: auto, snapshot and lock are possible", given);
}

static int read_options(struct my *my, struct backstay_error *err)
{
    const struct backstay_host *host = my->host;
    int64_t jobs = plug_number(host, OPT_JOBS, host->jobs);

    read_connection(my);
    read_scratch(my);
    my->databases = patterns_of(host, OPT_DATABASES);
    my->tables = patterns_of(host, OPT_TABLES);
    my->exclude_tables = patterns_of(host, OPT_EXCLUDE_TABLES);
    my->structure_only = patterns_of(host, OPT_STRUCTURE_ONLY);
    my->lock_timeout_ns = plug_number(host, OPT_LOCK_TIMEOUT, 0);
    my->split_bytes = plug_number(host, OPT_SPLIT, 64 << 20);
    my->users = plug_flag(host, OPT_USERS, true);
    if (jobs < 1 || jobs > 64)
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "\"jobs\" is %lld: 1 to 64 are possible",
                          (long long)jobs);
    if (my->split_bytes < (1 << 20))
        return host->fail(host, err, BACKSTAY_ERR_CONFIG, "\"split\" must be 1MiB at least");
    if (my->url && (my->server_host || my->port || my->socket))
        return host->fail(
            host, err, BACKSTAY_ERR_CONFIG,
            "\"url\" and \"host\", \"port\" or \"socket\" are both given; keep the url");
    my->jobs = (unsigned)jobs;
    return read_consistency(my, err);
}

static int my_open(const struct backstay_host *host, void **self, struct backstay_error *err)
{
    struct my *my = plug_alloc(1, sizeof *my);

    my->host = host;
    if (read_options(my, err) != 0) {
        free(my);
        return -1;
    }
    *self = my;
    return 0;
}

static void my_close(void *self)
{
    my_copies_clear(self);
    free(self);
}

static const struct backstay_source source = {
    .size = sizeof source,
    .open = my_open,
    .close = my_close,
    .check = my_check,
    .backup = my_backup,
    .restore = my_restore,
    .probe = my_probe,
    .scratch_create = my_scratch_create,
    .scratch_remove = my_scratch_remove,
    .restore_options = restore_options,
    .n_restore_options = PLUG_COUNT(restore_options),
    .covers = my_covers,
};

static const struct backstay_plugin plugin = {
    .size = sizeof plugin,
    .abi = BACKSTAY_ABI,
    .kind = BACKSTAY_SOURCE,
    .n_options = OPTIONS,
    .name = "mysql",
    .version = BACKSTAY_VERSION,
    .summary = "Databases of a MySQL or MariaDB server, managed ones included",
    .options = options,
    .source = &source,
};

const struct backstay_plugin *backstay_plugin(void)
{
    return &plugin;
}
