#!/bin/sh
# The package in a clean Debian root, without any network: installed, tried, upgraded, removed, purged. `make deb-test`.
# Needs root (for chroot and a network namespace of its own) and mmdebstrap.
#
#   test.sh OLDER.deb NEWER.deb
set -eu

older=$1 newer=$2
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "make deb-test needs root: chroot, and a network namespace" >&2; exit 1; }
tar=$(sh "$here/root.sh" python3,ca-certificates,systemd,passwd root)
root=$(mktemp -d "${TMPDIR:-/tmp}/seawall-deb-test.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
tar -xf "$tar" -C "$root" --exclude=./dev/*
cp "$older" "$root/older.deb"
cp "$newer" "$root/newer.deb"

# Loopback alone: whatever wants to be fetched fails. /proc and /dev/null are what a process needs to live.
inside() {
    unshare --net --mount --pid --fork --kill-child sh -eu -c '
        root=$1; shift
        ip link set lo up
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/dev"
        for each in null zero urandom random tty; do touch "$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"; done
        mkdir "$root/dev/shm" && chmod 1777 "$root/dev/shm"
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            chroot "$root" "$@"' sh "$root" "$@"
}
say() { echo "== $*"; }
stays() { # every file of the operator is there with its content
    for each in etc/seawall/main.toml etc/seawall/credentials/main/seawall-key var/lib/seawall/main/journal/mark; do
        [ -s "$root/$each" ] || { echo "$each is gone after $1" >&2; exit 1; }
    done
    [ "$(cat "$root/etc/seawall/credentials/main/seawall-key")" = kept ]
    [ "$(cat "$root/var/lib/seawall/main/journal/mark")" = kept ]
}

say "install $(basename "$older"), without network"
inside dpkg -i /older.deb
inside /usr/bin/seawall --version
inside getent passwd seawall
inside seawall-new-account main
echo kept > "$root/etc/seawall/credentials/main/seawall-key"
install -d -m 0700 "$root/var/lib/seawall/main/journal"
echo kept > "$root/var/lib/seawall/main/journal/mark"
echo "# mine" >> "$root/etc/seawall/main.toml"

say "units are clean where they lie"
inside sh -c 'cd /usr/lib/systemd/system && systemd-analyze verify seawall@main.service seawall-web@main.service seawall-exchange.service'
say "the alert channels' packages came along"
inside /usr/lib/seawall/bin/python -P -c 'import PIL, apprise; print("apprise", apprise.__version__)'

say "seawall demo, as the service user, without network"
inside setpriv --reuid seawall --regid seawall --clear-groups env HOME=/tmp sh -c 'cd /tmp && seawall demo --plain'

say "upgrade to $(basename "$newer")"
inside dpkg -i /newer.deb
stays upgrade
grep -q '^# mine' "$root/etc/seawall/main.toml"
inside seawall config show --config /etc/seawall/main.toml > /dev/null
inside seawall config diff /etc/seawall/main.toml /usr/share/seawall/careful.toml | head -n 5
inside dpkg --verify seawall

say "remove: settings, credentials and state stay"
inside dpkg --remove seawall
stays removal
[ ! -e "$root/usr/bin/seawall" ] && [ ! -e "$root/usr/lib/seawall" ]

say "purge: they go"
inside dpkg --purge seawall
[ ! -e "$root/etc/seawall" ] && [ ! -e "$root/var/lib/seawall" ]
left=$(cd "$root" && find . -xdev -name '*seawall*' -not -path './proc/*' -not -path './var/log/*' -not -path './tmp/*' | head)
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
say "all well"
