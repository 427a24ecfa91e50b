#!/bin/bash
# tests/e2e/memory.sh
# SPDX-License-Identifier: Apache-2.0
#
# The memory that a run takes stays under memory_limit, measured by the kernel: with content that
# compresses, content that does not, and many entries.
. "$(dirname "$0")/lib.sh"

limit_mib=128
# Sanitizers take memory of their own; what they find here is worth more than the figure.
if ldd "$BACKSTAY" | grep -q -E 'lib(asan|tsan)'; then
    limit_mib=1024
fi

python3 - <<'END' || give_up "cannot make the tree"
import os, random
random.seed(11)
os.makedirs("tree/many")
with open("tree/random.bin", "wb") as f:
    for _ in range(160):
        f.write(random.randbytes(1 << 20))
with open("tree/text.txt", "wb") as f:
    for i in range(2_500_000):
        f.write(b"%d,%d,an order of several things,%d\n" % (i, i * 7919 % 100003, i % 97))
for i in range(40_000):
    if i % 1000 == 0:
        os.makedirs(f"tree/many/{i // 1000}")
    with open(f"tree/many/{i // 1000}/file-{i}", "wb") as f:
        f.write(b"%d\n" % i)
END

# peak NAME ARGUMENT...: runs the program and compares its largest resident set with the limit.
peak() {
    local name=$1
    shift
    /usr/bin/time -f '%M' -o rss "$BACKSTAY" "$@" >out 2>err ||
        give_up "backstay $*: exit code $?: $(cat err)"
    echo "    $name: $(($(tail -n 1 rss) / 1024)) MiB of $limit_mib"
    ok "$name stays under $limit_mib MiB" test "$(tail -n 1 rss)" -lt $((limit_mib * 1024))
}

make_config tree "memory_limit: 128MiB"
run init
peak "the first backup" backup
peak "a backup that reads everything again" backup --read-all
peak "an unchanged backup" backup
peak "a check of all data" check --read-data
peak "a restore" restore latest --to restored
ok "what was restored is the same" diff -r tree restored
