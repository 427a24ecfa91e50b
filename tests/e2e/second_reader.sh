#!/bin/bash
# tests/e2e/second_reader.sh
# SPDX-License-Identifier: Apache-2.0
#
# docs/format.md is true and complete: a reader written from it alone gets out of a repository what went
# in, and finds every rule of the page kept.
. "$(dirname "$0")/lib.sh"

make_tree() {
    mkdir -p "$1/sub/deep" && cd "$1" || exit 1
    echo plain >plain
    : >zero
    local i byte
    for i in $(seq 1 255); do
        printf -v byte "\\x$(printf %x "$i")"
        [ "$byte" = / ] || printf '%s' "$i" >"sub/byte-$byte"
    done
    echo a >$'mixed-\xe4-\xc3\xa4-\xed\xa0\x80-\xf4\x90\x80\x80-\xc0\xaf-\xf0\x9f\x98\x80'
    seq 1 300000 >text
    head -c 2500000 /dev/urandom >incompressible
    cat plain text >sub/shifted
    # Of just enough kinds of bytes to lie near the limit between the two classes.
    head -c 600000 /dev/urandom | tr '\000-\377' '\000-\300\000-\076' >between
    # Long runs: cuts at the largest size.
    head -c 2000000 /dev/zero >zeros
    truncate -s 3M sparse && printf island | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none
    truncate -s 1M all-hole
    for i in 511 512 513 4095 4096 4097 16383 16384 16385; do head -c "$i" incompressible >"size-$i"; done
    ln -s ../plain sub/link
    ln -s $'\xff' odd-link
    ln text sub/hard
    mkfifo fifo
    touch -d @-1.5 plain
    touch -d '2001-02-03 04:05:06.123456789' text sub/deep
    setfattr -n user.test -v value text 2>/dev/null
    chmod 2751 sub
    [ "$(id -u)" -ne 0 ] || mknod null c 1 3
    cd "$scratch" || exit 1
}

compare() {
    ok "$1: the second reader finds every rule kept" \
        bash -c "python3 '$here/second_reader.py' repository '$scratch/repo' src >actual"
    python3 "$here/second_reader.py" tree src >expected
    ok "$1: there is something to compare" test "$(wc -l <expected)" -gt 280
    same "$1: it gets out what went in" expected actual
}

make_tree "$scratch/src"
make_config "$scratch/src"
run init
run backup
compare "first backup"

sleep 0.1 # what changes right after a backup is in any case read again
echo more >>src/text
head -c 1000000 src/incompressible >src/sub/first-part
rm src/zeros
mv src/sub/shifted src/shifted
run backup
compare "second backup"

# A manifest of many chunks, with part lines.
rm -r src && mkdir src
for i in $(seq 1 300); do : >"src/$i"; done
head -c 45000000 /dev/urandom | base64 -w 0 >src/many
run backup
ok "the manifest has an entry of several lines" grep -aq '^{"part":1,"chunks":\["' <(frames repo)
ok "a file of many chunks can be read" bash -c \
    "python3 '$here/second_reader.py' repository '$scratch/repo' src >actual"

flip "$(find repo/packs -name '*.tar' | head -n 1)" 2000
ok "the second reader notices a flipped byte" bash -c \
    "! python3 '$here/second_reader.py' repository '$scratch/repo' src"
