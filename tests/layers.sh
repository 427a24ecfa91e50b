#!/bin/bash
# tests/layers.sh
# SPDX-License-Identifier: Apache-2.0
#
# Includes point only downward: base <- codec, plugin, model <- store <- engine <- cli; the three in
# the middle never include each other; a plugin includes <backstay/plugin.h> and its own files.
#
# Usage: tests/layers.sh [ROOT]     prints FILE:LINE of what is wrong; exit code 1 when something is
set -euo pipefail

# Checks the sources below $1; prints one line per violation.
check() {
    local root=$1
    (cd "$root" && find src plugins include -name '*.[ch]' 2>/dev/null | LC_ALL=C sort) |
        (cd "$root" && xargs --no-run-if-empty awk '
        BEGIN {
            below["base"] = " base "
            below["codec"] = " base codec "
            below["plugin"] = " base plugin "
            below["model"] = " base model "
            below["store"] = below["engine"] = below["cli"] = " base codec plugin model store "
            below["engine"] = below["engine"] "engine "
            below["cli"] = below["engine"] "cli "
            # Who knows the plugin ABI: the layer around it, and what stands on that.
            knows_abi = " plugin store engine cli "
        }
        function wrong(text) { printf "%s:%d: %s\n", FILENAME, FNR, text }
        !/^[ \t]*#[ \t]*include[ \t]/ { next }
        {
            name = $0
            sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
            quoted = substr(name, 1, 1) == "\""
            sub(/^["<]/, "", name)
            sub(/[">].*/, "", name)
            split(FILENAME, at, "/")
            split(name, to, "/")
        }
        name ~ /(^|\/)\.\.(\/|$)/ { wrong("leaves its folder: \"" name "\""); next }
        at[1] == "plugins" {
            if (quoted && name ~ /\//)
                wrong("a plugin includes only <backstay/plugin.h> and its own files, not \"" name "\"")
            else if (to[1] == "backstay" && name != "backstay/plugin.h")
                wrong("a plugin includes no other header of Backstay than <backstay/plugin.h>, not <" name ">")
            next
        }
        at[1] == "include" {
            if (quoted || to[1] == "backstay")
                wrong("the plugin ABI stands alone and includes only the C library, not " name)
            next
        }
        !(at[2] in below) { if (FILENAME ~ /^src\/.*\//) wrong("src/" at[2] " is no layer"); next }
        to[1] == "backstay" {
            if (index(knows_abi, " " at[2] " ") == 0)
                wrong("layer " at[2] " must not know the plugin ABI, <" name ">")
            next
        }
        quoted && name !~ /\// { wrong("name the layer: \"" at[2] "/" name "\", not \"" name "\""); next }
        quoted && index(below[at[2]], " " to[1] " ") == 0 {
            wrong("layer " at[2] " must not include \"" name "\"")
        }
        ' /dev/null)
}

# What the check must find, so that it cannot pass by finding nothing.
self_test() {
    local root
    root=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$root'" RETURN
    mkdir -p "$root"/src/{base,codec,store,cli} "$root"/plugins/source/x "$root"/include/backstay
    echo '#include "codec/x.h"' >"$root/src/base/up.c"
    echo '#include <backstay/plugin.h>' >"$root/src/base/abi.c"
    printf '\n#include "plugin/x.h"\n' >"$root/src/codec/sideways.c"
    echo '#  include "engine/x.h"' >"$root/src/store/up.h"
    echo '#include "pack.h"' >"$root/src/store/unnamed.c"
    echo '#include "../base/x.h"' >"$root/src/cli/dots.c"
    printf '#include "base/x.h"\n#include "cli/y.h"\n#include <stdio.h>\n' >"$root/src/cli/good.c"
    echo '#include "base/base.h"' >"$root/plugins/source/x/base.c"
    printf '#include "own.h"\n#include <backstay/plugin.h>\n' >"$root/plugins/source/x/good.c"
    echo '#include "base/base.h"' >"$root/include/backstay/plugin.h"
    local found expected
    found=$(check "$root" | cut -d: -f1,2 | LC_ALL=C sort)
    expected='include/backstay/plugin.h:1
plugins/source/x/base.c:1
src/base/abi.c:1
src/base/up.c:1
src/cli/dots.c:1
src/codec/sideways.c:2
src/store/unnamed.c:1
src/store/up.h:1'
    if [ "$found" != "$expected" ]; then
        echo "tests/layers.sh: the check itself is broken: it must find"
        echo "$expected"
        echo "and finds"
        echo "$found"
        return 1
    fi
}

root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
self_test
found=$(check "$root")
if [ -n "$found" ]; then
    echo "$found"
    echo "layers: $(wc -l <<<"$found") include(s) point upward or sideways; see docs/architecture.md" >&2
    exit 1
fi
echo "layers: all includes point downward"
