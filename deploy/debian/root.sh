#!/bin/sh
# Makes a Debian root as a tar file with mmdebstrap, from the mirrors that this machine uses: PACKAGES FILE.
# Kept in SEAWALL_DEB_CACHE (~/.cache/seawall-deb) for a week; remove the file to have it made anew.
set -eu

packages=$1 name=$2
cache=${SEAWALL_DEB_CACHE:-$HOME/.cache/seawall-deb}
file=$cache/$name.tar
mkdir -p "$cache"
if [ -z "$(find "$file" -mtime -7 2> /dev/null)" ]; then
    command -v mmdebstrap > /dev/null || { echo "needs mmdebstrap (apt install mmdebstrap)" >&2; exit 1; }
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    sources=$(ls /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2> /dev/null | head -n 1)
    apt-config dump | grep -E '^Acquire::https?::(Proxy|.*::Proxy)' > "$cache/apt.conf" || true
    mmdebstrap --quiet --variant=apt --include="$packages" --aptopt="$cache/apt.conf" \
        "$release" "$cache/$name.new.tar" "$sources" >&2
    mv "$cache/$name.new.tar" "$file"
fi
echo "$file"
