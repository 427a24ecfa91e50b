#!/bin/bash
# quickstart.sh
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to a proven restore: installs what is missing, builds Backstay, makes a
# sample shop's media folder, backs it up, restores it elsewhere, compares every byte and every
# metadata field, and shows the state. Everything that it makes lies in ./backstay-demo, which each
# run removes and makes anew; nothing else on the machine is touched but missing packages.
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

headline "3. A sample shop"
rm -rf "$demo"
mkdir "$demo"
make_media "$demo/media"
sleep 0.1 # a file as young as the clock's resolution is read again, and this is to show what is not
cat >"$demo/backstay.yaml" <<'END'
app: shop
sources:
  media: { type: media, path: media }
destinations:
  local: { type: local, path: repository, min_free: 1GiB }
state_dir: state
END
echo "$(find "$demo/media" | wc -l) entries, $(du -sh "$demo/media" | cut -f1) on disk, in $demo/media"
echo "The configuration, $demo/backstay.yaml:"
sed 's/^/    /' "$demo/backstay.yaml"
cd "$demo"

headline "4. Back it up"
run backstay validate
run backstay init
run backstay backup

headline "5. Add two files, back up again: only what is new is read and stored"
echo 'sold out' >media/invoices/note.txt
cp media/products/product-9.jpg media/products/product-9-copy.jpg
run backstay backup
run backstay list

headline "6. Restore it elsewhere"
run backstay restore media@latest --to restored

headline "7. Prove that the copy is identical"
# diff cannot compare a FIFO; its type and metadata are compared below.
run diff --recursive --no-dereference --exclude=queue.fifo media restored
metadata media >media.metadata
metadata restored >restored.metadata
run diff media.metadata restored.metadata
echo "identical: every byte of content, and $(wc -l <media.metadata) lines of owners, modes, times to" \
    "the nanosecond, links, attributes and ACLs"

headline "8. The state"
run backstay check --read-data
run backstay stats

headline "Done"
cat <<END
The repository is $demo/repository. It opens without Backstay, too: see README.txt in it.
Next: put your own folders into a backstay.yaml, then \`backstay validate\`, \`init\`, \`backup\`.
END
