# cifs-guest.sh: the first program of scripts/lab/cifs's virtual machine, run by bash.
# /lab holds the programs; what is printed goes to whoever started the machine.
set -u
PATH=/lab:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
export PATH HOME LC_ALL PHC_HOST=guest PHC_USER=sam PHC_STATE_DIR=/var/lib/phc
files=0
# shellcheck source=/dev/null
. /lab/settings
failed=0

ok() { echo "lab: ok: $*"; }
bad() { echo "lab: BAD: $*"; failed=$((failed + 1)); }
# is CODE WANTED WHAT: were they the same?
is() { if [ "$1" = "$2" ]; then ok "$3"; else bad "$3: $1, not $2"; fi; }
# end: the machine off, whatever happens.
end() {
    if [ "$failed" = 0 ]; then echo "lab: passed"; else echo "lab: FAILED: $failed"; fi
    sync
    echo o >/proc/sysrq-trigger
    sleep 60
}
trap end EXIT

seconds() { date +%s.%N; }
# took BEGIN: seconds since then.
took() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { printf "%.1f", b - a }'; }
# smbs: requests that this kernel has sent so far.
smbs() { awk '/^SMBs:/ { sum += $2 } END { print sum + 0 }' /proc/fs/cifs/Stats; }

ingest() {
    phc-ingest --format json --quiet run --source /source --cloud docs >/tmp/out 2>/tmp/err
    code=$?
}
# figure NAME: one of the last run's totals.
figure() { tail -n 1 /tmp/out | grep -o "\"$1\":[0-9]*" | tail -n 1 | cut -d: -f2; }
# told: what a run said, when it is not as it should be.
told() { tail -n 3 /tmp/err; grep -o '"code":"[a-z-]*","what":"[^"]*"' /tmp/out | tail -n 3; }

start_samba() {
    mkdir -p /srv/share /run/samba /var/lib/samba/private
    printf '%s\n' '[global]' 'server role = standalone server' 'disable netbios = yes' \
        'smb ports = 445' 'log level = 0' 'load printers = no' 'pid directory = /run/samba' \
        'interfaces = lo' 'bind interfaces only = yes' \
        '[space]' 'path = /srv/share' 'read only = no' 'strict sync = yes' >/etc/samba/smb.conf
    printf 'x\nx\n' | smbpasswd -s -a root >/dev/null
    smbd -D
}
# shellcheck disable=SC2046 # several processes
stop_samba() { kill -9 $(pidof smbd); rm -f /run/samba/smbd.pid; }
mount_share() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        mount -t cifs //localhost/space /space -o username=root,password=x,echo_interval=4 && return
        sleep 1
    done 2>/tmp/err
    bad "can't mount: $(cat /tmp/err)"
}
configure() {
    mkdir -p /root/.config/phc /space /source "$PHC_STATE_DIR"
    printf '%s\n' '[pillar.space]' 'server = "localhost"' 'share = "space"' >/root/.config/phc/phc.toml
}
fill() {
    local n
    for n in $(seq "$files"); do
        [ $((n % 50)) != 1 ] || mkdir -p "/source/d$((n / 50))"
        head -c $((500 + RANDOM % 7000)) /dev/urandom >"/source/d$(((n - 1) / 50))/file-$n.dat"
    done
}
verify() {
    phc-ingest --format json --quiet verify --cloud docs >/tmp/out 2>/tmp/err
    is $? 0 "verify after $1" || told
}
# same WHAT: the copy is the source.
same() {
    if diff -r /source /space/devices/guest/sam/docs >/tmp/diff; then ok "equal after $1"; else
        bad "differs after $1: $(head -n 3 /tmp/diff)"
    fi
}

ip link set lo up
modprobe cifs || bad "no cifs"
configure
fill
start_samba
mount_share
grep -q '^//localhost/space /space cifs' /proc/mounts || { bad "no CIFS mount"; exit; }
phc-mount adopt --quiet /space >/tmp/out 2>/tmp/err
is $? 0 "adopt" || told

before=$(smbs) began=$(seconds)
ingest
ours=$(took "$began") calls=$(($(smbs) - before))
is "$code/$(figure stored)" "0/$files" "cold run" || told
before=$(smbs) began=$(seconds)
rsync -a /source/ /space/rsync
echo "lab: $files files: phc-ingest $ours s, $((calls / files)) requests a file;" \
    "rsync -a $(took "$began") s, $((($(smbs) - before) / files)) requests a file"
same "the cold run"

sleep 3
before=$(smbs) began=$(seconds)
ingest
is "$code/$(figure unchanged)" "0/$files" "nothing to do" || told
echo "lab: nothing changed: $(took "$began") s, $(($(smbs) - before)) requests"

for n in 1 60 120; do echo more >>"/source/d$((n / 50))/file-$n.dat"; done
rm -r /source/d3
mv /source/d4/file-201.dat /source/d5/renamed.dat
ingest
is "$code/$(figure replaced)/$(figure gone)/$(figure renamed)" 0/3/50/1 "edits, removals, a rename" || told
rm -r /space/devices/guest/sam/docs/d3 2>/dev/null
verify_edits=$(phc-ingest --format json --quiet verify --cloud docs 2>/dev/null | grep -c copy-missing)
is "$verify_edits" 50 "verify misses what somebody removed"

mkdir /source/names
for name in 'a:b' 'what?' 'star*' 'pipe|' 'less<' 'quo"te' 'back\slash' 'dot.' 'space ' con nul.txt \
    Twin twin TWIN "$(printf 'new\nline')" "$(printf 'u\303\244')" "$(printf 'ua\314\210')"; do
    printf '%s' "I am $name" >"/source/names/$name"
done
ingest
echo "lab: names: exit $code, $(figure stored) stored, $(figure failed) failed"
for name in /source/names/*; do
    # Each is somewhere in the copy, whole, or the run says which it is not.
    if ! grep -rqxF -- "$(head -n 1 "$name")" /srv/share/devices/guest/sam/docs/names; then
        if [ "$code" = 1 ]; then ok "reported: ${name##*/}"; else bad "lost, exit $code: ${name##*/}"; fi
    fi
done
ingest
is "$(figure stored)/$(figure replaced)" 0/0 "names settle" || told

for n in $(seq 300); do head -c 20000 /dev/urandom >"/source/d0/late-$n"; done
phc-ingest --quiet run --source /source --cloud docs >/dev/null 2>&1 &
sleep 1.5
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
ingest
case $code in 0 | 1) ok "the run after a kill" ;; *) bad "the run after a kill: exit $code"; told ;; esac
if [ -n "$(find /srv/share/devices/guest/sam/docs/d0 -maxdepth 1 -name '.phc-*')" ]; then bad "litter"; else ok "no litter"; fi

for n in $(seq 300); do head -c 20000 /dev/urandom >"/source/d1/later-$n"; done
phc-ingest --format json --quiet run --source /source --cloud docs >/tmp/out 2>/tmp/err &
sleep 1.5
stop_samba
wait $!
is $? 75 "the share goes away in mid-run" || told
ingest
is "$code" 75 "while it is away" || told
start_samba
for _ in $(seq 30); do ls /space/devices >/dev/null 2>&1 && break; sleep 1; done
ingest
case $code in 0 | 1) ok "it is back" ;; *) bad "it is back: exit $code"; told ;; esac
diff -r /source/d1 /srv/share/devices/guest/sam/docs/d1 >/tmp/diff || bad "lost: $(head -n 3 /tmp/diff)"
diff -r /source/d0 /srv/share/devices/guest/sam/docs/d0 >/tmp/diff || bad "lost: $(head -n 3 /tmp/diff)"
is "$(phc-ingest --format json --quiet verify --cloud docs 2>/dev/null | grep -c copy-damaged)" 0 "no copy is damaged"
