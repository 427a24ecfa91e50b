#!/bin/sh
# plugins/shared/watch.sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs the server of a scratch folder, ends it when its time or its space is used up or when nobody
# waits for it any more, and removes the folder. It runs as the user that owns the folder.
#
#   watch.sh run FOLDER SOCKETS SIGNAL EXPIRES KIB CREATOR STARTED
#   watch.sh end FOLDER SOCKETS SIGNAL
#
# EXPIRES is in seconds since 1970, KIB the most that the folder may grow to (0: any size), CREATOR
# and STARTED the process that waits for it and when that began, as of born below.
set -uf
role=$1 folder=$2 sockets=$3 signal=$4
marker=backstay-scratch.json
umask 077

# When process $1 began, in ticks since the system started; nothing when it is gone or hidden.
born() {
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # The process's name comes first, in parentheses, and may hold anything.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" = Z ] || echo "${20}"
}

# Whether process $1 is still the one that began at $2, and not a later one of the same number.
same() {
    [ -n "$1" ] && [ -n "$2" ] && [ "$(born "$1")" = "$2" ]
}

stop() {
    tries=0
    while same "$pid" "$began"; do
        [ "$tries" -eq 0 ] && kill -s "$signal" "$pid"
        [ "$tries" -ge 200 ] && kill -s KILL "$pid"
        sleep 0.05
        tries=$((tries + 1))
    done
}

# The marker goes last: without it nobody would know that the rest is ours.
erase() {
    cd / || exit 1
    [ "$sockets" = "$folder" ] || rm -rf "$sockets"
    find "$folder" -mindepth 1 -maxdepth 1 ! -name "$marker" "$@" -exec rm -rf {} +
}

remove() {
    erase
    [ -w "${folder%/*}/" ] && rm -rf "$folder"
}

kept() {
    grep -qs '"kept": true' "$marker"
}

# Sets $why when the server has to go.
judge() {
    turn=$((turn + 1))
    if [ "$(date +%s)" -ge "$expires" ]; then
        why="its time is over"
    elif [ "$kib" -gt 0 ] && [ $((turn % 5)) -eq 1 ] &&
        [ "$(du -sk . 2>/dev/null | cut -f1)" -gt "$kib" ]; then
        why="it grew larger than $kib KiB, the limit of scratch_space"
    elif [ -n "$seen" ] && ! same "$creator" "$started"; then
        if kept; then seen=""; else why="whoever made it is gone"; fi
    fi
}

run() {
    expires=$1 kib=$2 creator=$3 started=$4 turn=0 why="" seen=""
    cd "$folder" || exit 1
    trap 'why="it was stopped"' TERM INT HUP
    # When memory runs out, what can be made again goes before what cannot.
    echo 500 >/proc/self/oom_score_adj
    echo "$$ $(born $$)" >watch.pid
    /bin/sh ./server </dev/null >>log 2>&1 &
    pid=$!
    began=$(born "$pid")
    echo "$pid $began" >server.new && mv server.new server.pid
    # Where /proc hides other users' processes, only time can tell.
    same "$creator" "$started" && seen=1
    while [ -z "$why" ] && same "$pid" "$began"; do
        judge
        [ -n "$why" ] || { sleep 1 & wait $!; }
    done
    stop
    if same "$creator" "$started"; then
        echo "${why:-it ended by itself}" >ended
        erase ! -name ended ! -name log
    else
        remove
    fi
}

end() {
    pid="" began=""
    cd "$folder" || exit 0
    [ -r watch.pid ] && read -r pid began <watch.pid
    same "$pid" "$began" && kill -s KILL "$pid"
    pid="" began=""
    [ -r server.pid ] && read -r pid began <server.pid
    stop
    remove
}

shift 4
case $role in
run) run "$@" ;;
end) end ;;
esac
