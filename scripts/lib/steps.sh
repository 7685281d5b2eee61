# steps.sh: runs named steps one after the other, goes on when one fails, and
# ends with a plain summary. Sourced by bash scripts.

STEPS_DONE=()
STEPS_FAILED=()
STEPS_SKIPPED=()

# step NAME COMMAND...: runs the command, and notes how it ended and how long it took.
step() {
    local name=$1 began=$SECONDS code=0
    shift
    printf '\n== %s\n' "$name"
    "$@" </dev/null || code=$?
    if [ "$code" = 0 ]; then
        STEPS_DONE+=("$name ($((SECONDS - began)) s)")
    else
        STEPS_FAILED+=("$name (exit $code, $((SECONDS - began)) s)")
    fi
    return "$code"
}

# skip NAME REASON: notes what does not run, and why.
skip() {
    printf '\n== %s: skipped: %s\n' "$1" "$2"
    STEPS_SKIPPED+=("$1: $2")
}

# summary TITLE: what ran, what was skipped and why, what failed. Its exit code
# is 1 when anything failed, or when nothing ran at all.
summary() {
    printf '\n%s, %s s:\n' "$1" "$SECONDS"
    [ ${#STEPS_DONE[@]} = 0 ] || printf '  passed   %s\n' "${STEPS_DONE[@]}"
    [ ${#STEPS_SKIPPED[@]} = 0 ] || printf '  skipped  %s\n' "${STEPS_SKIPPED[@]}"
    [ ${#STEPS_FAILED[@]} = 0 ] || printf '  FAILED   %s\n' "${STEPS_FAILED[@]}"
    [ ${#STEPS_FAILED[@]} = 0 ] && [ ${#STEPS_DONE[@]} -gt 0 ]
}
