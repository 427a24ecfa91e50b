#!/bin/bash
# tests/e2e/restore_sh.sh
# SPDX-License-Identifier: Apache-2.0
#
# restore.sh, as it lies in each repository, gives back everything without the program; and does no
# harm with a repository that is damaged or forged.
. "$(dirname "$0")/lib.sh"

is_root() { [ "$(id -u)" -eq 0 ]; }

# A tree with everything that is odd.
make_tree() {
    mkdir -p "$1" && cd "$1" || exit 1
    mkdir -p sub/deep empty read-only
    echo plain >plain
    : >zero
    for name in 'a b' ' lead' 'trail ' $'new\nline' $'ends with\n' "quo'te" 'dou"ble' 'back\slash' \
        'octal\0101' 'surrogate\udc80' $'latin-\xe4\xf6\xfc' 'Käse ☃ 😀' -rf -- $'t\tab' $'c\rr' '*' \
        "\$HOME \`id\` \$(id)" '%s%n' $'\xff' $'\x81\x82\x85\x88' $'\xed\xa0\x80'; do
        printf '%s' "$name" >"./$name"
    done
    local i byte
    for i in $(seq 1 255); do
        printf -v byte "\\x$(printf %x "$i")"
        [ "$byte" = / ] || printf '%s' "$i" >"sub/byte-$byte"
    done
    seq 1 400000 | head -c 3000000 >multi
    head -c 3000000 /dev/urandom >incompressible
    cat plain multi >sub/shifted
    cp multi sub/copy
    seq 1 11000000 | head -c 80000000 >many-chunks
    truncate -s 50M sparse
    printf island | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none
    head -c 300000 /dev/urandom | dd of=sparse bs=64K seek=30000001 oflag=seek_bytes conv=notrunc \
        status=none
    truncate -s 5G hole
    printf end | dd of=hole bs=1 seek=4500000000 conv=notrunc status=none
    truncate -s 1M all-hole
    ln -s ../plain sub/link
    ln -s /nowhere dangling
    ln -s $'odd\n\xfe' odd-link
    ln -s plain $'link\nname'
    ln incompressible sub/hard
    ln incompressible sub/deep/hard
    ln $'new\nline' $'hard\nlink'
    mkfifo fifo
    chmod 4755 plain
    chmod 0 zero
    chmod 1777 sub/deep
    touch -d '2001-02-03 04:05:06.123456789' multi
    touch -d @-1.5 'a b'
    touch -d @-2 ./-rf
    touch -h -d @5.000000001 dangling
    setfattr -n user.test -v value multi 2>/dev/null
    setfattr -n user.empty multi 2>/dev/null
    setfattr -n user.test -v value $'new\nline' 2>/dev/null
    if is_root; then
        chown 1234:4321 multi
        chown -h 33:33 sub/link
        chmod 2770 sub
        mknod null c 1 3
        mknod block b 7 0
        setfacl -m u:33:r multi 2>/dev/null
        setfacl -d -m u:33:rx sub 2>/dev/null
        setcap cap_net_raw+ep plain 2>/dev/null
    fi
    chmod 0500 read-only
    touch -d '2011-01-01 00:00:00.5' read-only .
    cd "$scratch" || exit 1
}

# The script in an environment without the program. $shell says which shell.
shell=dash
without_backstay() {
    # shellcheck disable=SC2086
    env -i PATH=/usr/bin:/bin $shell "$@"
}

# restore_fails NAME EXPECTED_MESSAGE ARGUMENT...
restore_fails() {
    local name=$1 message=$2 rc=0
    shift 2
    without_backstay "$@" >out 2>err || rc=$?
    ok "$name" test "$rc" -eq 1
    ok "$name, and says so" grep -qF -- "$message" err
}

make_tree "$scratch/src"
make_config "$scratch/src"
run init
run backup
metadata src >expected-metadata
contents src >expected-contents
id=$(basename repo/snapshots/src/*.json .json)
id=${id#*-}

ok "the program is not in the path" test -z "$(without_backstay -c 'command -v backstay')"
ok "check finds nothing wrong" without_backstay repo/restore.sh check
ok "list shows the snapshot" \
    grep -qE "^$id +20[0-9T:.-]+Z +src +[0-9]+ +[0-9]+ +ok\$" <(without_backstay repo/restore.sh list)
ok "the manifest has an entry of several lines" grep -aq '^{"part":1,"chunks":\["' <(frames repo)

for shell in dash 'busybox sh'; do
    ok "restore under $shell succeeds" without_backstay repo/restore.sh restore latest "target/$shell"
    metadata "target/$shell" >metadata
    contents "target/$shell" >contents
    same "all metadata is back under $shell" expected-metadata metadata
    same "all contents are back under $shell" expected-contents contents
    ok "what lies behind 4 GiB is back under $shell" \
        cmp -i 4499999990 -n 100 src/hole "target/$shell/hole"
    ok "sparse files are sparse under $shell" test "$(du -sk "target/$shell/hole" | cut -f 1)" -lt 1024
    ok "nothing temporary is left under $shell" test -z "$(ls -d target/*.restoring.* 2>/dev/null)"
done
shell=dash
chmod -R u+rwX target && rm -rf target

if is_root; then
    chmod 755 "$scratch" && chmod -R o+rX repo && mkdir -m 777 open
    # No attribute that only root may set, and no device.
    rc=0
    (cd / && setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH=/usr/bin:/bin dash \
        "$scratch/repo/restore.sh" restore "$id" "$scratch/open/t") >out 2>err || rc=$?
    ok "who is not root is told what is missing" grep -q "not root: owners" err
    ok "devices that could not be made are a problem" test "$rc" -eq 1
    contents open/t >contents
    same "who is not root gets the contents" expected-contents contents
    chmod -R u+rwX open && rm -rf open
fi

# ---- words

restore_fails "an unknown snapshot is refused" "there is no such snapshot" \
    repo/restore.sh restore ffffffff t
restore_fails "a snapshot that is none is refused" '"../x" is not a snapshot' \
    repo/restore.sh restore ../x t
mkdir full && : >full/file
restore_fails "a target with something in it is refused" "full is not an empty folder" \
    repo/restore.sh restore latest full
ok "the file in it is still there" test -f full/file

# ---- a full disk

if is_root; then
    mkdir small
    # Too small for the lists, for one unpacked pack, and for the contents.
    for size in 64k 3m 12m 60m; do
        mount -t tmpfs -o "size=$size" tmpfs small || give_up "could not mount a small tmpfs"
        rc=0
        without_backstay repo/restore.sh restore latest small/t >out 2>err || rc=$?
        umount small
        ok "a disk of $size is not enough, and no success" test "$rc" -ne 0 -a ! -s out
        ok "a disk of $size is not enough, and it says so" grep -qi 'no \(room\|space\) left' err
    done
fi

# ---- damage

cp -r repo damaged
pack=$(find damaged/packs -name '*.tar' -size +1M | head -n 1)
flip "$pack" 700 # in the middle of the first frame
restore_fails "a flipped byte in a pack is a problem" "restored" damaged/restore.sh restore latest t
contents t >contents
ok "what does not need the damaged frame is there" test "$(wc -l <contents)" -gt 250
ok "nothing that is there is wrong" test -z "$(comm -13 <(sort expected-contents) <(sort contents))"
ok "files that are not there are named" grep -q "parts of it are damaged or missing: ./" err
restore_fails "check names the damaged pack" "$(basename "$pack")" damaged/restore.sh check
rm "$pack"
chmod -R u+rwX t && rm -rf t
restore_fails "a missing pack is a problem" "is missing" damaged/restore.sh restore latest t
contents t >contents
ok "nothing that is there is wrong without a pack" \
    test -z "$(comm -13 <(sort expected-contents) <(sort contents))"
restore_fails "check names the missing pack" "$(basename "$pack" .tar)" damaged/restore.sh check
sed -i 's/"host":"/"host":"x/' damaged/snapshots/src/*.json
restore_fails "a changed snapshot is refused" "its checksum does not fit" \
    damaged/restore.sh restore latest t2
ok "list says that it is damaged" grep -q 'DAMAGED$' <(without_backstay damaged/restore.sh list)
chmod -R u+rwX t && rm -rf t

# ---- forgery

# forged NAME MESSAGE: a forged manifest (standard input) is refused, and the file beside the target
# is as it was.
forged() {
    rm -rf forged trap && mkdir trap && echo innocent >trap/file && chmod 600 trap/file
    python3 "$here/forge.py" forged && cp repo/restore.sh forged
    restore_fails "$1" "$2" forged/restore.sh restore latest trap/target
    ok "$1: no harm done" test "$(cat trap/file; stat -c %a trap/file)" = $'innocent\n600'
    ok "$1: nothing beside the target" test "$(ls -A trap)" = $'file\ntarget' -o "$(ls -A trap)" = file
}

root='{"path":"","type":"dir","mode":"0755","uid":0,"gid":0,"mtime":"1.000000000"}'
meta='"mode":"0666","uid":0,"gid":0,"mtime":"1.000000000"'
forged "a path with .. is refused" "a path leads out of the target: ../file" <<END
chunk evil
$root
{"path":"../file","type":"file",$meta,"bytes":4,"chunks":["{evil}"]}
END
forged "an absolute path is refused" "a path leads out of the target: /tmp/file" <<END
chunk evil
$root
{"path":"/tmp/file","type":"file",$meta,"bytes":4,"chunks":["{evil}"]}
END
forged "a file below a symbolic link is refused" "names something twice" <<END
chunk evil
$root
{"path":"a","type":"symlink",$meta,"target":".."}
{"path":"a/file","type":"file",$meta,"bytes":4,"chunks":["{evil}"]}
END
forged "two entries with one path are refused" "names something twice" <<END
chunk evil
$root
{"path":"a","type":"symlink",$meta,"target":"../file"}
{"path":"a","type":"file",$meta,"bytes":4,"chunks":["{evil}"]}
END
forged "a command in place of a mode is refused" "the manifest is malformed" <<END
$root
{"path":"a","type":"file","mode":"0644; rm file","uid":0,"gid":0,"mtime":"1.0","bytes":0,"chunks":[]}
END
forged "a command in place of a time is refused" "the manifest is malformed" <<END
$root
{"path":"a","type":"file","mode":"0644","uid":0,"gid":0,"mtime":"1\$(id)","bytes":0,"chunks":[]}
END
forged "more bytes than there are chunks is a problem" "parts of it are damaged or missing: ./a" <<END
chunk evil
$root
{"path":"a","type":"file",$meta,"bytes":5000000000000,"chunks":["{evil}"]}
END
forged "extents outside of the file are a problem" "parts of it are damaged or missing: ./a" <<END
chunk evil
$root
{"path":"a","type":"file",$meta,"bytes":4,"extents":[[1,4]],"chunks":["{evil}"]}
END
forged "an id that is none is refused" "the manifest is malformed" <<END
$root
{"path":"a","type":"file",$meta,"bytes":4,"chunks":["../../../file"]}
END
forged "what is not JSON is refused" "the manifest is not readable" <<END
$root
{"path":"a",
END
