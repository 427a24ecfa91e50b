#!/bin/sh
# restore.sh
# SPDX-License-Identifier: Apache-2.0
#
# Restores from a copy of a Backstay repository without Backstay, with tools that every system has.
#
#   sh restore.sh list [SOURCE]                        the snapshots, oldest first
#   sh restore.sh restore SNAPSHOT TARGET [SOURCE]     into the folder TARGET, new or empty
#   sh restore.sh check                                the checksum of every object
#
# SNAPSHOT is an id that `list` shows, or its beginning, or "latest". Needs GNU tar, zstd, jq 1.6,
# an awk, GNU find and the GNU core utilities; for extended attributes and ACLs also setfattr
# (package attr). Run it as root to get back owners, device nodes and all attributes.
#
# How a repository is built: a snapshot (JSON) names packs. A pack is a tar of frames, a frame is a
# tar of chunks, compressed with zstd, a chunk is a piece of a file, named by the SHA-256 of its
# content. Some chunks, put together, are the manifest: one line of JSON for each file, which names
# the file's chunks. So this script unpacks a pack at a time, compares each chunk with its name, and
# writes it to where the manifest says. What is in a repository is not trusted: no name leads out of
# the target. Beside the target it needs room for one unpacked pack and for lists of files and
# chunks.
set -u
export LC_ALL=C TZ=UTC0
umask 077
tab=$(printf '\t')

say() { printf '%s\n' "restore.sh: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# Something that does not keep the rest from being restored. Not for use in a pipe.
problem() {
    say "$*"
    problems=$((problems + 1))
}

no_room() { [ "$(df -Pk "$work" | awk 'NR == 2 { print $4 }')" -lt 1024 ]; }

# Ends the script from wherever it is called: a part of a pipe could only end itself.
stop() {
    ! no_room || say "there is no room left in $work"
    say "stopped: what is in $target is not complete"
    kill -USR1 "$$"
    exit 1
}

usage() {
    sed -n '6,11s/^# \{0,1\}//p' "$0"
    exit "$1"
}

need() {
    for tool in tar zstd jq sha256sum awk sed sort join find mktemp xargs dd touch truncate df; do
        command -v "$tool" >/dev/null 2>&1 ||
            die "the program $tool is missing; on Debian: apt-get install tar zstd jq coreutils"
    done
}

# ---- documents: one line of JSON that ends with the SHA-256 of all that is before it

sealed() {
    seal=$(sed -n 's/.*,"sha256":"\([0-9a-f]*\)"}$/\1/p' "$1")
    sum=$(sed 's/,"sha256":"[0-9a-f]*"}$//' "$1" | tr -d '\n' | sha256sum)
    [ -n "$seal" ] && [ "$seal" = "${sum%% *}" ]
}

open_repository() {
    [ -f "$repo/backstay.json" ] || die "$repo is not a Backstay repository: no backstay.json"
    sealed "$repo/backstay.json" || say "backstay.json is damaged; going on without it"
    jq -e '.format == 1 and .recipients == []' "$repo/backstay.json" >/dev/null 2>&1 ||
        say "this repository may be of a newer format, or encrypted, which this script cannot read"
}

# Names of snapshot files, oldest first: the time is in the name.
snapshots() {
    for file in "$repo/snapshots/"${1:-*}/*.json; do
        [ -f "$file" ] && printf '%s\n' "${file##*/}$tab$file"
    done | sort | cut -f 2-
}

list() {
    printf '%-10s %-26s %-16s %12s %16s  %s\n' ID 'INSTANT (UTC)' SOURCE ENTRIES BYTES STATE
    snapshots "$@" | while IFS= read -r file; do
        state=ok
        sealed "$file" || state=DAMAGED
        jq -r '[.id, .instant, .source, .counts.entries, .counts.bytes] | @tsv' "$file" |
            while IFS=$tab read -r id instant source entries bytes; do
                printf '%-10s %-26s %-16s %12s %16s  %s\n' "$id" "$instant" "$source" "$entries" \
                    "$bytes" "$state"
            done
    done
}

# Sets $snapshot to the file that is meant.
choose() {
    case $1 in
    *@*) set -- "${1#*@}" "${1%%@*}" ;;
    esac
    case $1 in
    latest) pattern='*' ;;
    *[!0-9a-f]* | '') die "\"$1\" is not a snapshot: give an id from \"sh restore.sh list\"" ;;
    *) pattern="*-$1*.json" ;;
    esac
    found=$(snapshots "${2:-}" | while IFS= read -r file; do
        # shellcheck disable=SC2254
        case ${file##*/} in $pattern) printf '%s\n' "$file" ;; esac
    done)
    [ -n "$found" ] || die "there is no such snapshot; \"sh restore.sh list\" shows what there is"
    sources=$(printf '%s\n' "$found" | sed 's|/[^/]*$||' | sort -u | wc -l)
    [ "$sources" -eq 1 ] || die "several sources have such a snapshot: name the source at the end"
    [ "$1" = latest ] || [ "$(printf '%s\n' "$found" | wc -l)" -eq 1 ] ||
        die "several snapshots begin with $1: give more digits"
    snapshot=$(printf '%s\n' "$found" | tail -n 1)
}

# The document must be whole, say the name that it has, and be one that this script understands.
open_snapshot() {
    sealed "$snapshot" || die "${snapshot#"$repo/"} is damaged: its checksum does not fit"
    name=$(jq -r '(.instant | sub("\\.[0-9]+"; "") | gsub("[-:]"; "")) as $time |
        "snapshots/\(.source)/\($time)-\(.id).json"' "$snapshot") ||
        die "${snapshot#"$repo/"} is not readable"
    [ "$repo/$name" = "$snapshot" ] || die "${snapshot#"$repo/"} is really $name"
    jq -e '.format == 1 and .kind == "snapshot" and
        ([.packs[].frames[], .stream_frames[]] |
            all((.codec == "raw" or .codec == "zstd") and .bases == [])) and
        all(.packs[].id; test("^[0-9a-f]{64}$"))' "$snapshot" >/dev/null ||
        die "$name is of a form that this script does not know: use a newer backstay"
}

# ---- packs and frames

# Notes that a part of a pipe has failed.
mark() { echo >"$work/failed" || stop; }

# Decompresses the frames in list $2 of pack $1, one tar after the other, into the command behind.
# Leaves $work/failed when anything goes wrong.
frames_into() {
    pack=$repo/packs/$(printf '%.2s' "$1")/$1.tar
    grep '\.zst$' "$2" >"$work/zst"
    grep -v '\.zst$' "$2" >"$work/raw"
    shift 2
    rm -f "$work/failed"
    {
        [ ! -s "$work/raw" ] || tar -xOf "$pack" -T "$work/raw" || mark
        [ ! -s "$work/zst" ] ||
            { tar -xOf "$pack" -T "$work/zst" || mark; } | { zstd -dcq || mark; }
    } 2>/dev/null | "$@" 2>/dev/null || mark
    [ ! -f "$work/failed" ] || ! no_room || stop
}

# Lists a tar of chunks as "ID BYTES PACK"; fails when anything else is in it.
list_chunks() {
    { tar -tvif - || mark; } | awk -v pack="$1" -v most="$2" '
        /^-/ && NF == 6 && length($6) == 64 && $6 !~ /[^0-9a-f]/ && $3 ~ /^[0-9]+$/ {
            total += $3
            if (total <= most) { print $6 "\t" $3 "\t" pack; next }
        }
        { bad = 1; exit }
        END { exit bad }'
}

# Finds out what is in the frames of list $2 of pack $1; adds it to file $3. Frames that cannot be
# read are taken out of the list, so that the others can be had.
scan() {
    [ -f "$repo/packs/$(printf '%.2s' "$1")/$1.tar" ] || {
        problem "pack $1 is missing"
        : >"$2"
        return
    }
    frames_into "$1" "$2" list_chunks "$1" "$(($(wc -l <"$2") * 67108864))" >"$work/scan"
    if [ -f "$work/failed" ]; then
        : >"$work/scan"
        mv "$2" "$2.all"
        : >"$2"
        while IFS= read -r frame; do
            printf '%s\n' "$frame" >"$work/one" || stop
            frames_into "$1" "$work/one" list_chunks "$1" 67108864 >"$work/scan1"
            if [ -f "$work/failed" ]; then
                problem "pack $1: frame $frame is damaged"
            else
                cat "$work/scan1" >>"$work/scan" || stop
                printf '%s\n' "$frame" >>"$2" || stop
            fi
        done <"$2.all"
    fi
    cat "$work/scan" >>"$3" || stop
}

# Unpacks the chunks of a scanned list into $work/chunks, and removes those that are not what their
# names say.
unpack() {
    rm -rf "$work/chunks"
    mkdir "$work/chunks" || stop
    [ -s "$2" ] || return 0
    frames_into "$1" "$2" tar -ximof - -C "$work/chunks"
    [ ! -f "$work/failed" ] || problem "pack $1 cannot be unpacked as a whole"
    cd "$work/chunks" || stop
    find . -type f | sed 's|^\./||' | xargs -r sha256sum >"$work/sums" || stop
    awk '$1 != $2 { print $2 }' "$work/sums" >"$work/bad" || stop
    [ -s "$work/bad" ] || return 0
    problem "pack $1: $(wc -l <"$work/bad") damaged chunks"
    xargs rm -f <"$work/bad" || stop
}

# The name of a frame in its pack, for jq.
member='def member($codec):
    ("00000" + tostring)[-6:] + ".tar" + if $codec == "zstd" then ".zst" else "" end;
    '

# From lines "PACK FRAME" to one list a pack, $work/$1.PACK, and the names of the packs in $work/$1.
split_frames() {
    sort -u | awk -v list="$1" '
        BEGIN { to = ENVIRON["work"] "/" list }
        $1 != pack { if (pack) close(frames); pack = $1; frames = to "." pack; print pack >to }
        { print $2 >frames }
        END { if (!pack) printf "" >to }' || stop
}

# ---- the manifest

get_manifest() {
    jq -r "$member"'. as $s | [.manifest.chunks[].frame] | unique[] | $s.stream_frames[.] |
        .codec as $codec | "\($s.packs[.pack].id) \(.number | member($codec))"' "$snapshot" |
        split_frames manifest_packs
    : >"$work/pieces"
    mkdir "$work/keep" || stop
    jq -r '.manifest.chunks[] | "\(.id) \(.bytes)"' "$snapshot" >"$work/manifest_chunks" || stop
    while IFS= read -r pack_id; do
        scan "$pack_id" "$work/manifest_packs.$pack_id" "$work/pieces"
        unpack "$pack_id" "$work/manifest_packs.$pack_id"
        find "$work/chunks" -type f -exec mv -f {} "$work/keep" \; || stop
    done <"$work/manifest_packs"
    cd "$work/keep" || stop
    damaged=0
    while read -r id bytes; do
        if [ -f "$id" ]; then
            cat "$id" || stop
        else
            damaged=$((damaged + bytes))
            echo || stop
        fi
    done <"$work/manifest_chunks" >"$work/manifest"
    cd "$work" && rm -rf "$work/keep" "$work/chunks"
    [ "$damaged" -eq 0 ] || problem "the manifest is damaged:" \
        "entries listed in $damaged lost bytes of it are not restored"
}

# One line of tabs for each entry (E), attribute (A), extent (X) and chunk (C). Names are bytes;
# what a shell or a list could stumble over becomes \0ooo, which printf %b understands. Bytes that
# are not UTF-8 stand in the manifest as \udc80 .. \udcff, which jq cannot keep: it gets them as
# \u0000 \u0080.
flatten() {
    sed 's/\\\\/\\u005c/g; s/\\u[dD][cC]\([89a-fA-F][0-9a-fA-F]\)/\\u0000\\u00\1/g
        s/,"link":\([0-9][0-9]*\)/,"link":"\1"/' "$work/manifest" |
        jq -nRr --argjson damaged "$damaged" '
        def octal: "\\0" + ([. / 64, . / 8, .] | map(floor % 8 | tostring) | add);
        def name: if test("[\\x00-\\x1f\\x7f\u0027\\\\]") | not then . else
            [foreach explode[] as $c ({};
                if .raw then {out: ($c | octal)} elif $c == 0 then {raw: true}
                elif $c < 32 or $c == 127 or $c == 39 or $c == 92 then {out: ($c | octal)}
                else {out: ([$c] | implode)} end; .out // empty)] | add // "" end;
        def path: if . == "" or (split("/") | all(. != "" and . != "." and . != "..")) then name
            else error("a path leads out of the target: " + name) end;
        # touch wants -0.7 where the manifest says -1 and 0.3
        def time: if startswith("-") | not then . else
            (.[1:] | split(".") | map(tonumber)) as [$s, $n] | if $n == 0 then . else
            "-\($s - 1).\(1000000000 - $n | tostring | ("00000000" + .)[-9:])" end end;
        def chunks($n; $k): .chunks // [] | to_entries[] | "C\t\($n)\t\($k + .key)\t\(.value)";
        foreach (inputs | if $damaged > 0 then fromjson? else fromjson end) as $e ({n: 0, k: 0};
            if $e.part then .k += .next | .next = ($e.chunks | length)
            else .n += 1 | .k = 0 | .next = ($e.chunks // [] | length) end;
            .n as $n | .k as $k | $e |
            if .part then chunks($n; $k) else
                "E\t\($n)\t\(.type)\t\(.mode // "")\t\(.uid // "")\t\(.gid // "")" +
                "\t\(.mtime // "" | time)\t\(.link // "")\t\(.bytes // 0)" +
                "\t\(.rdev[0] // "")\t\(.rdev[1] // "")\t\(if .extents then 1 else 0 end)" +
                "\t\(.target // "" | name)\t\(.path | path)",
                (.xattrs // {} | to_entries[] | "A\t\($n)\t\(.value)\t\(.key | name)"),
                (.extents // [] | .[] | "X\t\($n)\t\(.[0])\t\(.[1])"),
                chunks($n; $k)
            end)' || { say "the manifest is not readable" && stop; }
}

# Checks every field, since they will stand in commands, and sorts the lines into files:
#   entries  N TYPE MODE UID GID MTIME FIRST BYTES MAJOR MINOR SPARSE TARGET PATH
#   uses     ID N K        attributes  N VALUE NAME        extents  N OFFSET LENGTH
# FIRST is the path of the first name of a hard link, empty for that name itself. A folder that the
# manifest does not list (it may be damaged) is made up.
sort_out() {
    for file in entries uses attributes extents; do
        : >"$work/$file" || stop
    done
    awk -F '\t' -v OFS='\t' '
        BEGIN { to = ENVIRON["work"] }
        function wrong(what) {
            print "the manifest is malformed: " what " in: " $0 >"/dev/stderr"
            exit 1
        }
        function number(text) { return text ~ /^[0-9]+$/ }
        function folder_of(path) {
            return match(path, /\/[^\/]*$/) ? substr(path, 1, RSTART - 1) : ""
        }
        function make_folder(path) {
            if (path == "" || path in folders) return
            make_folder(folder_of(path))
            folders[path] = 1
            print 0, "dir", "", "", "", "", "", 0, "", "", 0, "", path >(to "/entries")
        }
        $1 == "E" {
            if (NF != 14 || !number($9) || $4 !~ /^([0-7][0-7][0-7][0-7])?$/ ||
                $5 !~ /^[0-9]*$/ || $6 !~ /^[0-9]*$/ || $7 !~ /^(-?[0-9]+\.?[0-9]*)?$/ ||
                $8 !~ /^[0-9]*$/ || $10 !~ /^[0-9]*$/ || $11 !~ /^[0-9]*$/)
                wrong("a field")
            if ($3 !~ /^(file|dir|symlink|fifo|chardev|blockdev|socket)$/) wrong("the type")
            if ($14 == "" && $3 != "dir") wrong("the path")
            make_folder(folder_of($14))
            if ($3 == "dir") folders[$14] = 1
            first = ""
            if ($3 == "file" && $8 != "") { first = names[$8]; if (first == "") names[$8] = $14 }
            keep = first == ""
            content = keep && $3 == "file"
            print $2, $3, $4, $5, $6, $7, first, $9, $10, $11, $12, $13, $14 >(to "/entries")
            next
        }
        $1 == "A" && $3 !~ /[^0-9a-f]/ { if (keep) print $2, $3, $4 >(to "/attributes"); next }
        $1 == "X" && number($3) && number($4) {
            if (content) print $2, $3, $4 >(to "/extents")
            next
        }
        $1 == "C" && length($4) == 64 && $4 !~ /[^0-9a-f]/ {
            if (content) print $4, $2, $3 >(to "/uses")
            next
        }
        { wrong("something") }' "$work/flat" || stop
    [ "$(grep -c '^E' "$work/flat")" -eq "$(grep -vc '^0' "$work/entries")" ] || stop
    rm "$work/flat"
    [ -z "$(cut -f 13 "$work/entries" | sort -T "$work" | uniq -d | head -n 1)" ] ||
        die "the manifest is malformed: it names something twice"
}

# ---- the plan: which pieces of which chunks go where

sorted() { sort -T "$work" -t "$tab" "$@" || stop; }

# Finds for each use of a chunk its size and pack: lines N K ID BYTES PACK, in the order of N and K.
locate() {
    sorted -u -k 1,1 "$work/pieces" >"$work/sorted_pieces"
    sorted -k 1,1 "$work/uses" | tr '\t' ' ' |
        { join -a 1 -e - -o 1.2,1.3,0,2.2,2.3 - "$work/sorted_pieces" || stop; } | tr ' ' '\t' |
        sorted -k 1,1n -k 2,2n >"$work/located"
    rm "$work/uses" "$work/pieces" "$work/sorted_pieces"
}

# Turns them into jobs PACK N K ID SKIP LENGTH SEEK CHUNK TOTAL PATH: LENGTH bytes, SKIP bytes
# behind the beginning of the chunk, go to SEEK in the file. TOTAL is empty in a sparse file.
# Entries whose content is not complete go to "lost".
plan() {
    : >"$work/lost" || stop
    awk -F '\t' -v OFS='\t' '
        function next_extent() {
            have_extent = (getline line <extents) > 0
            if (have_extent) split(line, extent, "\t")
        }
        function next_piece() {
            have_piece = (getline line <located) > 0
            if (have_piece) split(line, piece, "\t")
        }
        function job(skip, bytes, seek) {
            print piece[5], $1, piece[2], piece[3], skip + 0, bytes, seek + 0, piece[4],
                $11 ? "" : $8, $13
        }
        function in_extent() { return have_extent && extent[1] == $1 }
        # Deals a chunk out to the extents of a sparse file.
        function deal(  done, n) {
            for (done = 0; done < piece[4]; done += n) {
                for (; in_extent() && extent[3] - used == 0; used = 0) next_extent()
                if (!in_extent() || extent[2] + extent[3] > $8) { ok = 0; return }
                n = piece[4] - done
                if (n > extent[3] - used) n = extent[3] - used
                job(done, n, extent[2] + used)
                used += n
            }
        }
        BEGIN {
            CONVFMT = OFMT = "%.0f"
            located = ENVIRON["work"] "/located"
            extents = ENVIRON["work"] "/extents"
            lost = ENVIRON["work"] "/lost"
            next_piece()
            next_extent()
        }
        $2 != "file" || $7 != "" { next }
        {
            ok = 1
            at = used = 0
            for (; have_piece && piece[1] == $1; next_piece()) {
                if (piece[4] == "-" || !ok) { ok = 0; continue }
                if ($11) deal(); else job(0, piece[4], at)
                at += piece[4]
            }
            if ($11) {
                for (; in_extent(); used = 0) {
                    if (extent[3] - used != 0) ok = 0
                    next_extent()
                }
            } else if (at != $8) ok = 0
            if (!ok) print $1 >lost
        }' "$work/entries" >"$work/unsorted" || stop
    sorted -k 1,1 -k 2,2n -k 3,3n -k 5,5n "$work/unsorted" >"$work/jobs"
    rm "$work/unsorted"
    rm "$work/located" "$work/extents"
}

# ---- commands: lists of names become scripts, because a process for each name would take long

# Prepended to awk programs: add(COMMAND, PATH) gathers paths for one call of COMMAND.
gather='
    function flush() { if (held) print command " --" held " || failed"; held = ""; count = 0 }
    function add(what, path) {
        if (path == "") path = "."; else path = "./" path
        if (what != command || count == 200 || length(held) > 60000) flush()
        command = what
        if (!index(path, "\\")) { held = held " " quote path quote; count++; return }
        flush()
        print "name " quote path quote "; " what " -- \"$p\" || failed"
    }
    BEGIN { FS = "\t"; quote = "\047" }
    END { flush() }'

# A name with \0ooo in it; the underscore keeps a newline at its end.
name() {
    p=$(printf '%b_' "$1")
    p=${p%_}
}

failed() { problems=$((problems + 1)); }

# Runs an awk program that writes a script, then the script, in the target.
script() {
    awk "$@" >"$work/script" || stop
    cd "$target" || stop
    . "$work/script"
}

# The content of entry $n at $p: all of it, chunks from some place on, a part of a chunk.
lose() {
    ! no_room || stop
    echo "$n" >>"$work/lost" || stop
}

whole() { cat -- "$@" >"$target/$p" || lose; }

some() {
    seek=$1
    shift
    for chunk; do
        [ -f "$chunk" ] || { lose && return; }
    done
    { cat -- "$@" || stop; } | dd of="$target/$p" bs=1048576 seek="$seek" oflag=seek_bytes \
        conv=notrunc status=none || lose
}

part() {
    dd if="$1" skip="$2" count="$3" of="$target/$p" seek="$4" bs=1048576 status=none conv=notrunc \
        iflag=skip_bytes,count_bytes oflag=seek_bytes || lose
}

make_folders() {
    script "$gather"'$2 == "dir" && $13 != "" { add("mkdir", $13) }' "$work/entries"
    # Files that no chunk creates, or that end with a hole.
    script "$gather"'$2 == "file" && $7 == "" && ($8 == 0 || $11) { add("truncate -s " $8, $13) }' \
        "$work/entries"
}

# Writes one script a pack, and the names of the packs to $work/job_packs.
write_scripts() {
    awk -F '\t' '
        BEGIN { to = ENVIRON["work"] "/job"; CONVFMT = OFMT = "%.0f" }
        function flush() {
            if (ids == "") return
            if (total != "" && start == 0 && end == total) print "whole" ids >script
            else print "some " start ids >script
            ids = ""
        }
        $1 != pack {
            flush()
            if (pack) close(script)
            pack = $1; script = to "." pack; n = ""
            print pack >(to "_packs")
        }
        $2 != n {
            flush()
            n = $2
            print "n=" n >script
            print (index($10, "\\") ? "name " : "p=") "\047" $10 "\047" >script
        }
        $6 != $8 { flush(); print "part " $4 " " $5 " " $6 " " $7 >script; next }
        ids != "" && ($7 != end || count == 250) { flush() }
        ids == "" { start = $7; count = 0 }
        { ids = ids " " $4; count++; end = $7 + $6; total = $9 }
        END { flush(); if (!pack) printf "" >(to "_packs") }' "$work/jobs" || stop
    rm "$work/jobs"
}

write_contents() {
    done=0
    total=$(wc -l <"$work/job_packs")
    while IFS= read -r pack_id; do
        done=$((done + 1))
        [ ! -t 2 ] || printf 'pack %d of %d\r' "$done" "$total" >&2
        unpack "$pack_id" "$work/packs.$pack_id"
        cd "$work/chunks" || stop
        . "$work/job.$pack_id" 2>"$work/complaint"
        grep -v 'No such file' "$work/complaint" | head -n 5 >&2
        rm -f "$work/job.$pack_id" "$work/packs.$pack_id"
    done <"$work/job_packs"
    cd "$target" && rm -rf "$work/chunks"
}

# Removes files that are not complete, so that nothing passes for what it is not.
remove_lost() {
    sorted -u "$work/lost" >"$work/lost_sorted"
    lost() {
        shift
        rm -f -- "$@"
        for p; do problem "not restored, because parts of it are damaged or missing: $p"; done
    }
    script "$gather"'FILENAME == ARGV[1] { lost[$1] = 1; next } $1 in lost { add("lost", $13) }' \
        "$work/lost_sorted" "$work/entries"
    awk -F '\t' 'FILENAME == ARGV[1] { lost[$1] = 1; next } !($1 in lost)' "$work/lost_sorted" \
        "$work/entries" >"$work/kept" || stop
}

# Symbolic links come after all contents, so that no content meets one.
make_others() {
    script -F '\t' '
        function argument(text) {
            if (!index(text, "\\")) return "\047" text "\047"
            print "name \047" text "\047; a" ++k "=$p"
            return "\"$a" k "\""
        }
        { k = 0; path = "./" $13 }
        $2 == "file" && $7 != "" {
            first = argument("./" $7); path = argument(path)
            print "ln -- " first " " path " || failed"
        }
        $2 == "symlink" {
            aim = argument($12); path = argument(path)
            print "ln -s -- " aim " " path " || failed"
        }
        $2 == "fifo" { print "mkfifo -- " argument(path) " || failed" }
        $2 == "chardev" { print "mknod -- " argument(path) " c " $9 " " $10 " || failed" }
        $2 == "blockdev" { print "mknod -- " argument(path) " b " $9 " " $10 " || failed" }' \
        "$work/kept"
}

set_attributes() {
    [ -s "$work/attributes" ] || return 0
    command -v setfattr >/dev/null 2>&1 || {
        problem "extended attributes and ACLs are not restored: setfattr (package attr) is missing"
        return 0
    }
    awk -F '\t' '
        function short(text) { gsub(/\\0/, "\\", text); return text }
        FILENAME == ARGV[1] { paths[$1] = $13; next }
        !($1 in paths) { next }
        $1 != n {
            n = $1
            path = short(paths[n])
            print "\n# file: " (path == "" ? "." : "./" path)
        }
        {
            name = short($3)
            gsub(/=/, "\\075", name)
            print name "=" ($2 == "" ? "\"\"" : "0x" $2)
        }' \
        "$work/kept" "$work/attributes" >"$work/dump" || stop
    setfattr -h --restore="$work/dump" || problem "not all extended attributes could be restored"
}

# Owners first: that clears set-uid bits and capabilities. Modes of folders last and from the bottom
# up: they may take our own rights away.
set_metadata() {
    real='
        $2 != "socket" && $7 == "" && $3 != ""'
    if [ "$(id -u)" -eq 0 ]; then
        sorted -k 4,4 -k 5,5 "$work/kept" >"$work/list"
        script "$gather$real"' { add("chown -h " $4 ":" $5, $13) }' "$work/list"
    else
        say "not root: owners (and set-uid bits of files of others) are not restored"
    fi
    set_attributes
    sorted -k 3,3 "$work/kept" >"$work/list"
    script -v me="$(id -u)" -v us="$(id -g)" "$gather$real"' && $2 != "dir" && $2 != "symlink" {
        if (me != 0 && ($4 != me || $5 != us)) $3 = "0" substr($3, 2)
        add("chmod 0" $3, $13)
    }' "$work/list"
    sorted -k 6,6 "$work/kept" >"$work/list"
    script "$gather$real"' { add("touch -h -c -m -d @" $6, $13) }' "$work/list"
    sorted -k 13 -r "$work/kept" >"$work/list"
    script "$gather$real"' && $2 == "dir" { add("chmod 0" $3, $13) }' "$work/list"
}

# ---- commands of this script

make_target() {
    case $1 in
    /*) target=${1%/} ;;
    *) target=$PWD/${1%/} ;;
    esac
    [ ! -e "${target:-/}" ] || [ -z "$(ls -A "${target:-/}" 2>&1)" ] ||
        die "$1 is not an empty folder: give a new one"
    mkdir -p -- "$target" || exit 1
    work=$(mktemp -d "$target.restoring.XXXXXX") || exit 1
    trap 'cd / && rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    trap 'exit 1' USR1
    problems=0
    export work
}

# In the end, as many names and bytes must be there as the manifest says, whatever went on before.
compare_sums() {
    expected=$(awk -F '\t' '
        $2 != "socket" && $13 != "" { names++ }
        $2 == "file" { bytes += $8 }
        END { printf "%.0f names, %.0f bytes", names, bytes }' "$work/kept")
    there=$(find "$target" -mindepth 1 -printf '%y %s.\0' | tr '\0' '\n' | awk '
        { names++ }
        $1 == "f" { bytes += $2 }
        END { printf "%.0f names, %.0f bytes", names, bytes }')
    [ "$there" = "$expected" ] || problem "there should be $expected, and there are $there"
}

restore() {
    choose "$1" "${3:-}"
    open_snapshot
    make_target "$2"
    get_manifest
    flatten >"$work/flat"
    rm "$work/manifest"
    sort_out
    jq -r "$member"'.packs[] | .id as $id | .frames[] | .codec as $codec |
        range(.numbers[0]; .numbers[1] + 1) | "\($id) \(member($codec))"' "$snapshot" |
        split_frames packs
    : >"$work/pieces"
    while IFS= read -r pack_id; do
        scan "$pack_id" "$work/packs.$pack_id" "$work/pieces"
    done <"$work/packs"
    locate
    plan
    make_folders
    write_scripts
    write_contents
    remove_lost
    make_others
    set_metadata
    sockets=$(awk -F '\t' '$2 == "socket"' "$work/kept" | wc -l)
    [ "$sockets" -eq 0 ] || say "$sockets sockets are listed; sockets are not restored"
    compare_sums
    warnings=$(jq .counts.warnings "$snapshot")
    [ "$warnings" -eq 0 ] || say "the backup itself had noted $warnings warnings"
    [ "$problems" -eq 0 ] ||
        die "restored ${snapshot##*/} to $target with $problems problems, see above"
    echo "restored $(wc -l <"$work/kept") entries of ${snapshot##*/} to $target"
}

check() {
    bad=0
    for file in "$repo/backstay.json" "$repo"/snapshots/*/*.json "$repo"/records/*/*/*.json; do
        [ ! -f "$file" ] || sealed "$file" || { say "${file#"$repo/"} is damaged" && bad=1; }
    done
    damaged=$(cd "$repo" && find packs index -type f -exec sha256sum {} + |
        awk '{ id = $2; sub(/.*\//, "", id); sub(/\.tar$/, "", id); if (id != $1) print $2 }')
    [ -z "$damaged" ] || { say "damaged: $damaged" && bad=1; }
    missing=$(for file in "$repo"/snapshots/*/*.json; do
        [ ! -f "$file" ] || jq -r '.packs[].id' "$file"
    done | sort -u | while IFS= read -r id; do
        [ -f "$repo/packs/$(printf '%.2s' "$id")/$id.tar" ] || echo "$id"
    done)
    [ -z "$missing" ] || { say "missing packs: $missing" && bad=1; }
    [ "$bad" -eq 0 ] || exit 1
    echo "all objects are as they were written"
}

repo=$(cd "$(dirname "$0")" && pwd) || exit 1
command=${1:-}
[ $# -eq 0 ] || shift
case $command:$# in
list:[01] | restore:[23] | check:0) ;;
-h:* | --help:* | help:*) usage 0 ;;
*) usage 2 >&2 ;;
esac
need
open_repository
"$command" "$@"
