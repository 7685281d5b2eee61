# tree.sh: whole small Debian systems in a folder, made once by debootstrap and
# kept in the cache, and a way to run commands in them with nothing of this
# machine visible but what is lent. Sourced by the labs, after tools.sh; root only.

# package_mirror: the Debian mirror of this machine's own package sources.
package_mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
        sed -nE 's,^(URIs:|deb( \[[^]]*\])?) *(https?://[^ ]*/debian)/?( .*)?$,\3,p' | head -n 1
}

# make_tree NAME SUITE [PACKAGE...]: makes the tree NAME from a Debian suite and
# some packages, unless the cache has it with all of them. One that was not
# finished has another name, and is made anew.
make_tree() {
    local root=$CACHE/$1 suite=$2
    shift 2
    [ -d "$root" ] || bootstrap_tree "$root" "$suite" || return
    lend_network "$root"
    if [ $# = 0 ] || [ "$(cat "$root.packages" 2>/dev/null)" = "$*" ]; then return 0; fi
    add_packages "$root" "$@" >>"$root.log" 2>&1 || { warn "installing $* failed: see $root.log"; return 1; }
    echo "$*" >"$root.packages"
}

# bootstrap_tree ROOT SUITE: the suite's smallest system, complete or not at all.
bootstrap_tree() {
    local root=$1 suite=$2 mirror
    mirror=$(package_mirror)
    [ -n "$mirror" ] || { warn "no Debian mirror in this machine's package sources"; return 1; }
    need debootstrap debootstrap debootstrap || { warn "debootstrap is needed"; return 1; }
    warn "making the tree $root from $suite; this takes minutes, once"
    mkdir -p "$CACHE"
    rm -rf --one-file-system "$root.new"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root.new" "$mirror" \
        >"$root.log" 2>&1 || { warn "debootstrap failed: see $root.log"; return 1; }
    mv "$root.new" "$root"
}

# add_packages ROOT PACKAGE...: installs into the tree itself.
add_packages() {
    local root=$1
    shift
    in_tree "$root" -- sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "$@" && apt-get clean' sh "$@"
}

# lend_network ROOT: the tree reaches what this machine reaches, in the same
# way: resolver, hosts, package proxy, certificates, cargo's settings.
lend_network() {
    local root=$1 file
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    while read -r file; do
        cp "$file" "$root/etc/apt/apt.conf.d/"
    done < <(grep -lsiE 'acquire::.*(proxy|verify|cainfo)' /etc/apt/apt.conf.d/* /etc/apt/apt.conf)
    # A mirror may be a frozen one; a throw-away tree need not mind its age.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/90frozen-mirror"
    mkdir -p "$root/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    file=${CARGO_HOME:-$HOME/.cargo}/config.toml
    if [ -e "$file" ]; then mkdir -p "$root/root/.cargo" && cp "$file" "$root/root/.cargo/"; fi
}

# proxy_settings: the proxy variables that are set here, as NAME=VALUE lines.
proxy_settings() { env | grep -iE '^(https?|no|all)_proxy=' || true; }

# in_tree ROOT [--copy] [--lend FROM:TO[:ro]]... -- COMMAND...: runs the command
# in the tree, in mount and process namespaces of its own: what it mounts and
# what it leaves running is gone when it ends. With --copy everything that it
# writes is gone too: the tree lies below a file system that nothing else has. The
# environment is HOME, PATH, LANG, TERM and the proxy settings.
in_tree() {
    local root=$1 layer=keep lent=() proxies
    shift
    if [ "$1" = --copy ]; then layer=copy; shift; fi
    while [ "$1" = --lend ]; do lent+=("$2"); shift 2; done
    [ "$1" = -- ] && shift
    mapfile -t proxies < <(proxy_settings)
    unshare --mount --pid --fork --kill-child --propagation private \
        bash -euc "$(declare -f enter_tree layer_tree mount_tree); enter_tree \"\$@\"" in_tree \
        "$root" "$layer" "${#lent[@]}" "${lent[@]}" \
        env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 TERM="${TERM:-dumb}" "${proxies[@]}" "$@"
}

# enter_tree ROOT keep|copy COUNT LENT... COMMAND...: the inner half of in_tree.
enter_tree() {
    local root=$1 layer=$2 count=$3
    shift 3
    if [ "$layer" = copy ]; then layer_tree "$root"; root=/mnt/tree; fi
    mount_tree "$root" "${@:1:count}"
    shift "$count"
    exec chroot "$root" "$@"
}

# layer_tree ROOT: the tree as /mnt/tree, below a layer that takes all writes. The
# layer is an ext4 in a file that has no name any more: it goes with the last who
# uses it. /mnt is this namespace's own from here on.
layer_tree() {
    local image=$1.layer.$$
    truncate -s 40G "$image"
    mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1 "$image"
    mount -o loop "$image" /mnt
    rm "$image"
    mkdir /mnt/upper /mnt/work /mnt/tree
    mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/tree
}

# mount_tree ROOT LENT...: the kernel's file systems, and the lent folders.
mount_tree() {
    local root=$1 from to mode entry
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    for entry; do
        IFS=: read -r from to mode <<<"$entry"
        mkdir -p "$root$to"
        mount --bind "$from" "$root$to"
        [ "$mode" != ro ] || mount -o remount,bind,ro "$root$to"
    done
}
