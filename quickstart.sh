#!/bin/bash
# quickstart.sh
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to a proven restore: installs what is missing, builds Backstay, makes a
# sample shop (a PostgreSQL and a MariaDB database on throwaway servers, a media folder), backs it up,
# restores it elsewhere, compares every row, byte and metadata field, and shows the state. Everything
# that it makes lies in ./backstay-demo, which each run removes and makes anew, and in folders below
# /tmp for the servers, which are removed at the end; nothing else on the machine is touched but
# missing packages.
set -euo pipefail

cd "$(dirname "$0")"
exec </dev/null
export LC_ALL=C.UTF-8
demo=$PWD/backstay-demo
log=$PWD/build/quickstart.log

headline() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || headline() { printf '\n%s\n' "$*"; }

# Shows a command, then runs it.
run() {
    echo "\$ $*"
    "$@"
}

give_up() {
    echo "quickstart.sh: $*" >&2
    exit 1
}

# The throwaway servers: they refuse to run as root, so they then run as their own users.
postgres=
mariadb=
bin=
as_user() {
    local user=$1
    shift
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@")
    else
        "$@"
    fi
}

stop_servers() {
    if [ -n "$postgres" ]; then
        as_user postgres "$bin/pg_ctl" -D "$postgres/data" -m immediate -s stop || true
        rm -rf "$postgres"
    fi
    if [ -n "$mariadb" ]; then
        [ ! -e "$mariadb/pid" ] || kill "$(cat "$mariadb/pid")" || true
        while [ -e "$mariadb/pid" ]; do sleep 0.1; done
        rm -rf "$mariadb"
    fi
    postgres=
    mariadb=
}
trap stop_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A folder of the user $1.
folder_of() {
    local folder
    folder=$(mktemp -d /tmp/backstay-demo.XXXXXX)
    if [ "$(id -u)" = 0 ]; then chown "$1:" "$folder"; fi
    echo "$folder"
}

start_postgres() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    bin=${found%/initdb}
    [ -x "$bin/initdb" ] || give_up "no PostgreSQL server below /usr/lib/postgresql"
    postgres=$(folder_of postgres)
    as_user postgres "$bin/initdb" -D "$postgres/data" -U postgres -A trust -E UTF8 \
        --locale C.UTF-8 --no-sync >"$log" 2>&1 &&
        as_user postgres "$bin/pg_ctl" -D "$postgres/data" -l "$postgres/log" -s -w start \
            -o "-k $postgres -c listen_addresses='' -c fsync=off" || {
        cat "$postgres/log" "$log" >&2 2>/dev/null
        give_up "the throwaway PostgreSQL server does not start"
    }
}

start_mariadb() {
    local tries=0
    mariadb=$(folder_of mysql)
    as_user mysql mariadb-install-db --no-defaults --auth-root-authentication-method=normal \
        --skip-test-db --datadir="$mariadb/data" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        give_up "the throwaway MariaDB server cannot be made"
    }
    as_user mysql mariadbd --no-defaults --datadir="$mariadb/data" --socket="$mariadb/socket" \
        --pid-file="$mariadb/pid" --tmpdir="$mariadb" --skip-networking --log-bin --server-id=1 \
        --innodb-flush-method=nosync --log-warnings=0 >"$mariadb/log" 2>&1 &
    until mysql -e 'SELECT 1' >"$log" 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || {
            cat "$mariadb/log" "$log" >&2
            give_up "the throwaway MariaDB server does not start"
        }
        sleep 0.1
    done
}

mysql() {
    mariadb --no-defaults --socket="$mariadb/socket" --user=root "$@"
}

sql() {
    "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$postgres" -U postgres "$@"
}

# A shop with a few hundred thousand rows, and a role that may read everything and change nothing.
make_database() {
    sql -d postgres -c 'CREATE DATABASE shop' -c 'CREATE ROLE backstay LOGIN BYPASSRLS' \
        -c 'GRANT pg_read_all_data TO backstay'
    sql -d shop -v percent=4 -f "$1" >>"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        give_up "the sample database could not be made; all of it is in $log"
    }
}

# The same for MariaDB; its role needs these rights and no more.
make_second_database() {
    {
        mysql -e "CREATE DATABASE crm; CREATE USER backstay@localhost;
            GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON *.* TO backstay@localhost" &&
            { echo 'SET @percent = 1;' && cat "$1"; } | mysql crm
    } >>"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        give_up "the second sample database could not be made; all of it is in $log"
    }
}

make_media() {
    local media=$1 i
    mkdir -p "$media"/{products,thumbnails,invoices/2026/11,empty} && cd "$media"
    for i in $(seq 1 250); do
        head -c $((i * 997 % 60000 + 200)) /dev/urandom >"products/product-$i.jpg"
        head -c $((i * 311 % 4000 + 100)) "products/product-$i.jpg" >"thumbnails/product-$i.jpg"
    done
    for i in $(seq 1 60); do
        seq $((i * 100)) $((i * 100 + 2000)) >"invoices/2026/11/invoice $i.csv"
    done
    cp -r /usr/share/common-licenses licences
    cp products/product-250.jpg products/duplicate.jpg
    : >'empty file'
    echo 'a name in German' >'invoices/Rechnung für März.txt'
    echo 'a name with a line break' >$'invoices/line\nbreak.txt'
    echo 'a name that is not UTF-8' >$'invoices/latin1-\xe4\xf6\xfc.txt'
    echo 'a name that looks like an option' >'./-rf'
    ln -s ../products/product-1.jpg thumbnails/link.jpg
    ln -s /nowhere/at/all dangling
    ln products/product-2.jpg products/hard-link.jpg
    truncate -s 64M sparse.img
    printf 'an island' | dd of=sparse.img bs=1 seek=33554432 conv=notrunc status=none
    mkfifo queue.fifo
    chmod 0640 invoices/2026/11/*.csv
    chmod 2750 invoices
    touch -d '2019-03-04 05:06:07.123456789' products/product-3.jpg thumbnails
    # Not every file system has these; where it has, they are compared.
    setfattr -n user.shop.author -v 'the photographer' products/product-4.jpg 2>/dev/null || true
    setfacl -m u:daemon:r products/product-5.jpg 2>/dev/null || true
    cd "$OLDPWD"
}

# All that a file has besides its content, one line each.
metadata() {
    (cd "$1" && {
        find . -type d -printf '%p %y %m %U:%G %T@\n'
        find . -not -type d -printf '%p %y %m %U:%G %s %T@ %n %l\n'
        getfattr --recursive --no-dereference --dump --match=- . 2>/dev/null
        getfacl --recursive --numeric --absolute-names . 2>/dev/null
        find . -type f -links +1 -printf '%i\t%p\n' | sort -k 2 |
            awk -F '\t' '{ names[$1] = names[$1] " = " $2 } END { for (i in names) print names[i] }'
    } | sort)
}

headline "1. What is missing on this machine"
cmake/install-packages build demo

headline "2. Build (release, without the tests)"
mkdir -p build
if ! { cmake --preset release -B build/quickstart -DBACKSTAY_TESTS=OFF &&
    cmake --build build/quickstart -j "$(nproc)"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    give_up "the build failed; all of it is in $log"
fi
PATH=$PWD/build/quickstart/bin:$PATH
run backstay version

headline "3. A sample shop: databases on throwaway servers of PostgreSQL and MariaDB, a folder of media"
rm -rf "$demo"
mkdir "$demo"
start_postgres
make_database "$PWD/tests/bench/shop.sql"
start_mariadb
make_second_database "$PWD/tests/bench/mysql_shop.sql"
make_media "$demo/media"
sleep 0.1 # a file as young as the clock's resolution is read again, and this is to show what is not
cat >"$demo/backstay.yaml" <<'END'
app: shop
sources:
  db:    { type: postgres, url: env:DATABASE_URL }
  crm:   { type: mysql, url: env:CRM_URL }
  media: { type: media, path: media }
destinations:
  local: { type: local, path: repository, min_free: 1GiB }
state_dir: state
END
echo "$(find "$demo/media" | wc -l) entries, $(du -sh "$demo/media" | cut -f1) on disk, in $demo/media"
echo "The configuration, $demo/backstay.yaml:"
sed 's/^/    /' "$demo/backstay.yaml"
cd "$demo"
export DATABASE_URL="postgresql://backstay@/shop?host=$postgres"
export CRM_URL="mysql://backstay@localhost/crm?socket=$mariadb/socket"
echo "DATABASE_URL=$DATABASE_URL"
echo "CRM_URL=$CRM_URL"

headline "4. Back it up"
run backstay validate
run backstay init
run backstay doctor
run backstay backup

headline "5. Change a little, back up again: only what is new is stored"
echo 'sold out' >media/invoices/note.txt
cp media/products/product-9.jpg media/products/product-9-copy.jpg
sql -d shop -c "UPDATE shop.products SET price = price + 1 WHERE id % 100 = 0"
run backstay backup
run backstay list

headline "6. Prove the databases: restore them into scratch instances, compare every row with the backup"
run backstay restore db@latest --to scratch --keep 0
run backstay restore crm@latest --to scratch --keep 0

headline "7. Restore one under another name on the server, too, and look for yourself"
run backstay restore db@latest --to "postgresql://postgres@/shop_restored?host=$postgres"
count="SELECT 'orders', count(*), sum(total) FROM shop.orders UNION ALL
    SELECT 'products', count(*), sum(price) FROM shop.products"
sql -d shop -A -t -c "$count" >live.counts
sql -d shop_restored -A -t -c "$count" >restored.counts
cat restored.counts
run diff live.counts restored.counts

headline "8. Restore the media elsewhere, and prove that the copy is identical"
run backstay restore media@latest --to restored
# diff cannot compare a FIFO; its type and metadata are compared below.
run diff --recursive --no-dereference --exclude=queue.fifo media restored
metadata media >media.metadata
metadata restored >restored.metadata
run diff media.metadata restored.metadata
echo "identical: every byte of content, and $(wc -l <media.metadata) lines of owners, modes, times to" \
    "the nanosecond, links, attributes and ACLs"

headline "9. The state"
run backstay check --read-data
run backstay stats

headline "Done"
cat <<END
The repository is $demo/repository. It opens without Backstay, too: see README.txt in it.
Next: put your own database and folders into a backstay.yaml, then \`backstay validate\`, \`doctor\`,
\`init\`, \`backup\`; docs/sources/postgres.md says which rights the database's role needs.
END
