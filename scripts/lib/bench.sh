# bench.sh: how scripts/bench times commands and prints rows. Sourced by scripts/bench;
# $work is its scratch folder, $bin the programs' folder.
# shellcheck disable=SC2154 # work and bin are the bench's

# make_tree DIR FILES SIZE [FILES-A-FOLDER]: a tree of files of one size, or with SIZE 0
# log-normal around 4 KiB, in folders of 100 unless said otherwise.
make_tree() {
    python3 - "$@" <<'PY'
import math, os, random, sys
root, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
each = int((sys.argv[4:] or [100])[0])
random.seed(1)
noise = os.urandom(8 << 20)
for n in range(count):
    folder = f"{root}/d{n // each:05d}"
    if n % each == 0:
        os.makedirs(folder, exist_ok=True)
    length = size or min(int(random.lognormvariate(math.log(4096), 1.6)), 6 << 20)
    with open(f"{folder}/file-{n}.dat", "wb") as out:
        while length > 0:
            start = random.randrange(0, len(noise) // 2)
            length -= out.write(noise[start:start + min(length, len(noise) // 2)])
PY
}

# change_some TREE COUNT: appends to so many of its files, spread over all folders.
change_some() {
    python3 - "$@" <<'PY'
import os, sys
root, count = sys.argv[1], int(sys.argv[2])
names = sorted(os.path.join(at, name) for at, _, files in os.walk(root) for name in files)
for name in names[::max(1, len(names) // count)][:count]:
    with open(name, "ab") as out:
        out.write(b"more\n")
PY
}

# timed ROW COMMAND...: runs one command and appends "seconds kilobytes" to the row's file.
timed() {
    local row=$1 began ended
    shift
    began=$EPOCHREALTIME
    command time -f '%M' -o "$work/time" "$@" >/dev/null
    ended=$EPOCHREALTIME
    printf '%s %s\n' "$(awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.4f", b - a }')" \
        "$(tail -n 1 "$work/time")" >>"$work/$row.row"
}

# ingest ROW SOURCE SPACE
ingest() {
    timed "$1" "$bin/phc-ingest" run --quiet --format human --source "$2" --cloud bench --space "$3"
}

# new_space SPACE: an empty one that was adopted, and no state.
new_space() {
    rm -rf "$1" "$PHC_STATE_DIR"
    mkdir "$1"
    "$bin/phc-mount" adopt --local --quiet "$1" >/dev/null
}

# report TITLE ROW...: the median of each row, smallest and largest, the largest memory,
# and what the first row is of the others; forgets the rows.
report() {
    echo "$1"
    shift
    python3 - "$work" "$@" <<'PY'
import os, statistics, sys
work, rows = sys.argv[1], sys.argv[2:]
first = None
for row in rows:
    path = f"{work}/{row}.row"
    if not os.path.exists(path):
        print(f"  {row:24} not there")
        continue
    lines = [line.split() for line in open(path)]
    seconds = [float(line[0]) for line in lines]
    median = statistics.median(seconds)
    first = first or median
    memory = max(int(line[1]) for line in lines) / 1024
    spread = f"({min(seconds):.3f} to {max(seconds):.3f})"
    print(f"  {row:24} {median:9.3f} s  {spread:22} {memory:8.1f} MB   phc-ingest is {first / median:5.2f} x")
PY
    rm -f "$work"/*.row
}
