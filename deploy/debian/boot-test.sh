#!/bin/sh
# The units under a real systemd: a Debian root with the package is booted with systemd-nspawn, cut off from any network,
# and in it the guard guards an account of the embedded exchange, hangs, is killed, is reloaded and stopped.
# `make systemd-test`. Needs root, mmdebstrap and systemd-nspawn (apt install systemd-container).
#
#   boot-test.sh PACKAGE.deb
set -eu

package=$1
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "make systemd-test needs root: systemd-nspawn" >&2; exit 1; }
command -v systemd-nspawn > /dev/null || { echo "needs systemd-nspawn (apt install systemd-container)" >&2; exit 1; }
tar=$(sh "$here/root.sh" python3,ca-certificates,systemd,systemd-sysv,dbus,passwd booted)
root=$(mktemp -d "${TMPDIR:-/tmp}/seawall-boot.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
tar -xf "$tar" -C "$root" --exclude='./dev/*'
cp "$package" "$root/srv/seawall.deb"
cp "$here/boot-proof.sh" "$root/srv/proof.sh"
cat > "$root/etc/systemd/system/proof.service" << 'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'sh -eux /srv/proof.sh > /srv/proof.log 2>&1; echo $? > /srv/proof.code'
ExecStopPost=/usr/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../proof.service "$root/etc/systemd/system/multi-user.target.wants/proof.service"
timeout 300 systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no --keep-unit > "$root/srv/boot.log" 2>&1 || true
grep -E '^(==|seawall)' "$root/srv/proof.log" || true
if [ "$(cat "$root/srv/proof.code" 2> /dev/null)" != 0 ]; then
    tail -n 120 "$root/srv/proof.log" >&2
    exit 1
fi
