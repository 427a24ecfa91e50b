#!/bin/bash
# tests/e2e/docs.sh
# SPDX-License-Identifier: Apache-2.0
#
# What the documents say is so: links lead somewhere, the example works, tables are the program's.
. "$(dirname "$0")/lib.sh"

root=$(cd "$here/../.." && pwd)

# Relative links of all documents, as "DOCUMENT LINK", that lead to nothing.
broken_links() {
    (cd "$root" && find . -name build -prune -o -name .git -prune -o -name '*.md' -print |
        while IFS= read -r document; do
            grep -oE '\]\([^)#]+' "$document" | cut -c 3- | grep -vE '^[a-z]+:' |
                while IFS= read -r link; do
                    [ -e "$(dirname "$document")/$link" ] || echo "$document $link"
                done
        done)
}

: >none
broken_links >broken
same "every link in the documents leads somewhere" none broken
ok "there are links to check" test "$(grep -rlE '\]\(' "$root"/*.md "$root"/docs | wc -l)" -gt 5

sed -n '/^```yaml/,/^```$/p' "$root/README.md" | sed '1d;$d' >readme.yaml
chmod 600 readme.yaml
ok "the example of the README has content" grep -q '^sources:' readme.yaml
expect_exit 0 -c readme.yaml validate

"$BACKSTAY" help exit-codes | sed -nE 's/^ +([0-9]+)  (.*)$/\1 \2/p' | grep -v '^128 ' >codes
sed -nE 's/^\| ([0-9]+) \| (.*) \|$/\1 \2/p' "$root/README.md" >documented
ok "the program lists exit codes" test "$(wc -l <codes)" -gt 10
same "the exit codes of the README are those of the program" codes documented

"$BACKSTAY" --help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  +.*$/\1/p' | sort >commands
grep '^- Commands' "$root/CHANGELOG.md" | grep -oE '`[a-z ]+`' | tr -d '`' | sort >documented
ok "the program lists commands" test "$(wc -l <commands)" -gt 10
same "the change log names every command" commands documented

ok "restore.sh and README.txt are in a new repository as they are here" bash -c "
    mkdir media && printf '%s\n' 'sources: { src: { type: media, path: media } }' \
        'destinations: { local: { type: local, path: repo } }' 'state_dir: state' >backstay.yaml &&
    '$BACKSTAY' init >out && cmp repo/restore.sh '$root/src/store/assets/restore.sh' &&
    cmp repo/README.txt '$root/src/store/assets/README.txt'"

# The names in the table of options of document $1, one on each line.
documented_options() {
    awk '/^\| option \| type/ { inside = 1; next } !/^\|/ { inside = 0 } inside' "$1" |
        sed -n 's/^| \(`[^|]*\) |.*/\1/p' | grep -o '`[a-z_]*`' | tr -d '`' | sort
}

for document in "$root"/docs/sources/*.md "$root"/docs/destinations/*.md; do
    type=$(basename "$document" .md)
    documented_options "$document" >documented
    "$BACKSTAY" plugin show "$type" --json | jq -r '.plugins[].options[].name' | sort >options
    ok "$type has options" test -s options
    same "the document of $type names the options of the plugin" options documented
done
