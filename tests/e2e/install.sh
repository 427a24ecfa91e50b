#!/bin/bash
# tests/e2e/install.sh
# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` puts into a folder works from there, without the build tree.
. "$(dirname "$0")/lib.sh"

# A build tree has the program in bin; cmake knows the rest.
build=$(dirname "$(dirname "$BACKSTAY")")
cmake --install "$build" --prefix "$scratch/prefix" >install.log 2>&1 ||
    give_up "cmake --install failed: $(tail -n 3 install.log)"
BACKSTAY=$scratch/prefix/bin/backstay

run plugin list --json
ok "the installed program finds its installed plugins" \
    grep -q -F "$scratch/prefix/lib/" out
mkdir tree && echo content >tree/file
make_config tree
run init
run backup
run restore latest --to restored
same "what the installed program restores is the same" tree/file restored/file
ok "the header that plugins include is installed" \
    test -f "$scratch/prefix/include/backstay/plugin.h"
ok "the example of a configuration is installed" \
    test -f "$scratch/prefix/share/doc/backstay/examples/backstay.yaml"
