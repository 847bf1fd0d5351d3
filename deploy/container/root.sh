#!/bin/sh
# Makes dist/container: a root folder as a tar file with the package inside, and the Containerfile. `make container-root`.
# Then proves it without a container engine: read-only root, no network, the service's user. Needs root and mmdebstrap.
#
#   root.sh PACKAGE.deb [OUT]
set -eu

package=$1 out=${2:-dist/container}
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "make container-root needs root: chroot, and mounts" >&2; exit 1; }
tar=$(sh "$here/../debian/root.sh" python3,ca-certificates,passwd container)
root=$(mktemp -d "${TMPDIR:-/tmp}/seawall-container.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
tar -xf "$tar" -C "$root" --exclude='./dev/*'
cp "$package" "$root/seawall.deb"
unshare --net env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot "$root" dpkg -i /seawall.deb > /dev/null
install -d -o "$(chroot "$root" id -u seawall)" -g "$(chroot "$root" id -g seawall)" -m 0700 "$root/var/lib/seawall/main"
# What an image of one program has no use for.
rm -rf "$root/seawall.deb" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/tmp/*
mkdir -p "$out" "$root/run/secrets"
tar -C "$root" --numeric-owner --sort=name -cf "$out/seawall-root.tar" .
cp "$here/Containerfile" "$out/"

echo "== read-only root, no network, user seawall: seawall demo"
unshare --net --mount --pid --fork --kill-child sh -eu -c '
    root=$1
    ip link set lo up
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/dev"
    for each in null zero urandom random; do touch "$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"; done
    mkdir "$root/dev/shm"
    mount -o remount,bind,ro "$root"
    if touch "$root/usr/written" 2> /dev/null; then echo "the root can be written" >&2; exit 1; fi
    exec env -i PATH=/usr/sbin:/usr/bin:/bin HOME=/tmp LC_ALL=C.UTF-8 chroot --userspec=seawall:seawall "$root" \
        sh -c "cd /tmp && seawall --version && seawall demo --plain"' sh "$root"
echo "$out: seawall-root.tar ($(du -m "$out/seawall-root.tar" | cut -f1) MB) and Containerfile"
