# tests/e2e/lib.sh
# SPDX-License-Identifier: Apache-2.0
#
# What the end-to-end scripts share. A script sources it first:
#
#     . "$(dirname "$0")/lib.sh"
#
# It then stands in a temporary folder of its own, which is removed when it ends. It has $BACKSTAY (the
# program), make_config, run, expect_exit, ok and same, and its exit code is 1 when anything was not
# as expected. Each expectation prints "ok - ..." or "not ok - ...".
set -uo pipefail
export LC_ALL=C TZ=UTC
umask 022

: "${BACKSTAY:?is not set: the path of the program to test}"
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
BACKSTAY=$(cd "$(dirname "$BACKSTAY")" && pwd)/$(basename "$BACKSTAY")
passed=0
failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/backstay-e2e.XXXXXX")
cd "$scratch" || exit 1

finish() {
    local rc=$?
    trap - EXIT
    cd / && chmod -R u+rwX "$scratch" 2>/dev/null
    rm -rf "$scratch"
    echo "$(basename "$0"): $passed passed, $failed failed"
    [ $rc -eq 0 ] && [ $failed -eq 0 ] && [ $passed -gt 0 ]
    exit $?
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Stops the script: what follows would make no sense.
give_up() {
    echo "not ok - $*"
    failed=$((failed + 1))
    exit 1
}

# ok NAME COMMAND...: the command succeeds.
ok() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok - $name"
    else
        failed=$((failed + 1))
        echo "not ok - $name"
        head -n 20 <<<"$output" | sed 's/^/    /'
    fi
}

# same NAME EXPECTED ACTUAL: two files are equal.
same() {
    ok "$1" diff "$2" "$3"
}

# make_config FOLDER: writes ./backstay.yaml for the source "src" at FOLDER and the destination "local"
# at ./repo. Further arguments are lines to add.
make_config() {
    local folder=$1
    shift
    printf '%s\n' "sources: { src: { type: media, path: \"$folder\" } }" \
        'destinations: { local: { type: local, path: repo } }' 'state_dir: state' "$@" >backstay.yaml
    chmod 600 backstay.yaml
}

# run ARGUMENT...: the program, which must succeed; its output goes to ./out and ./err.
run() {
    "$BACKSTAY" "$@" >out 2>err || give_up "backstay $*: exit code $?: $(cat err)"
}

# expect_exit CODE ARGUMENT...: the program ends with that exit code; ./out and ./err as above.
expect_exit() {
    local code=$1 rc=0
    shift
    "$BACKSTAY" "$@" >out 2>err || rc=$?
    ok "backstay $* exits with $code" test "$rc" -eq "$code"
}

# metadata FOLDER: all that its entries have besides content (sockets left out), one line each.
metadata() {
    (cd "$1" || exit 1
        {
            find . -type d -printf '%p\t%y %m %U:%G %T@\0'
            find . ! -type d ! -type s -printf '%p\t%y %m %U:%G %s %T@ %n %l\0'
        } | sort -z | tr '\n\0' '\1\n'
        getfattr -R -P -h -d -m - -e hex . | sed '/^$/d'
        find . -type f -links +1 -printf '%i\t%p\0' | sort -z -k 2 | tr '\n\0' '\1\n' |
            awk -F '\t' '{ names[$1] = names[$1] " = " $2 }
                END { for (i in names) print names[i] }' | sort)
}

# contents FOLDER: the checksum of each file of up to a gibibyte.
contents() {
    (cd "$1" || exit 1
        find . -type f -size -1025M -print0 | sort -z | xargs -0r sha256sum -z -- |
            tr '\n\0' '\1\n')
}

# flip FILE OFFSET: inverts one byte.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# frames REPOSITORY: what is in its compressed frames, one tar after the other.
frames() {
    find "$1/packs" -name '*.tar' | while read -r pack; do
        tar -xOf "$pack" --wildcards '*.tar.zst' | zstd -dcq
    done
}
