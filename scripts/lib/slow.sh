# slow.sh: the row "smb" of scripts/bench: phc-ingest and rsync -a write to a folder
# that answers each call 5 ms later (scripts/lib/slowfs.c, a FUSE layer that keeps
# nothing in mind). Sourced by scripts/bench; root, or a user who may mount with FUSE.
# shellcheck disable=SC2154 # work and bin are the bench's

SLOW_MICROS=5000
# As a share that others write to as well: nothing that was told before is believed.
SLOW_OPTIONS=entry_timeout=0,attr_timeout=0,max_threads=64

# build_slow PROGRAM: compiles the layer.
build_slow() {
    pkg-config --exists fuse3 2>/dev/null || need fusermount3 "libfuse3-dev fuse3 pkg-config" "fuse3-devel fuse3" || true
    pkg-config --exists fuse3 || install_packages libfuse3-dev pkg-config
    # The flags are a list, and split on purpose.
    # shellcheck disable=SC2046
    cc -O2 -Wall -Wextra -o "$1" scripts/lib/slowfs.c $(pkg-config --cflags --libs fuse3)
}

# on_slow ROW COMMAND...: runs the command with the layer mounted freshly, so that the
# kernel knows nothing of it; adds the calls it made to ROW.calls.
on_slow() {
    local row=$1
    shift
    : >"$work/calls"
    "$work/slowfs" "$SLOW_MICROS" "$work/calls" "$work/behind" "$work/slow" -o "$SLOW_OPTIONS"
    "$@"
    fusermount3 -u "$work/slow"
    # It counts until it ends, a moment after the mount is gone.
    while [ ! -s "$work/calls" ]; do sleep 0.1; done
    awk '{ sum += $2 } END { print sum }' "$work/calls" >>"$work/$row.calls"
}

# slow_calls FILES ROW...: how many calls each made.
slow_calls() {
    local count=$1 row
    shift
    for row; do
        awk -v count="$count" -v row="$row" \
            'END { printf "  %-24s %8d calls, %.2f a file\n", row, $1, $1 / count }' "$work/$row.calls"
    done
}

# bench_slow FILES: cold, nothing changed, and some changed, each once and in turn.
bench_slow() {
    local count=$1 changed=$(($1 / 100))
    build_slow "$work/slowfs"
    mkdir "$work/behind" "$work/slow"
    make_tree "$work/tree" "$count" 4096 50
    on_slow adopt "$bin/phc-mount" adopt --local --quiet "$work/slow" >/dev/null
    for row in cold unchanged changed; do
        # Stamps of the row before have to be older than the racy window of a share.
        sleep 3
        [ $row != changed ] || change_some "$work/tree" "$changed"
        on_slow phc-ingest ingest phc-ingest "$work/tree" "$work/slow"
        on_slow rsync timed rsync rsync -a "$work/tree/" "$work/slow/rsync"
        report "each call takes $SLOW_MICROS us: $row, $count files in folders of 50" phc-ingest rsync
        slow_calls "$count" phc-ingest rsync
    done
    rm -rf "$work/tree" "$work/behind"
}
