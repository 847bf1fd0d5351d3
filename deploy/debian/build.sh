#!/bin/sh
# Builds dist/seawall_VERSION_ARCH.deb from this checkout: `make deb`. Needs dpkg-deb, and the network or a pip cache for
# the locked wheels. Everything is inside the package, in a folder of its own: nothing is fetched when it is installed.
#
#   PYTHON   an interpreter with pip and setuptools, of the minor version that the package will run with
#   VERSION  of the package; that of pyproject.toml if left out
#   OUT      folder for the package (dist)
set -eu
umask 022

here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here"
python=${PYTHON:-.venv/bin/python}
out=${OUT:-dist}
stated=$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
version=${VERSION:-$stated}
arch=$(dpkg --print-architecture)
minor=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
next=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1] + 1}")')
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d "${TMPDIR:-/tmp}/seawall-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
home=$tree/usr/lib/seawall
site=$home/lib/python$minor/site-packages
mkdir -p "$site" "$home/bin" "$tree/DEBIAN" "$out"

pip() { "$python" -m pip --disable-pip-version-check --no-input "$@"; }

# The wheels of the lock, and those of the extra `alerts`; sources are copied first, so that no build/ is left behind.
"$python" deploy/lock_of_extra.py requirements-dev.lock apprise pillow > "$work/alerts.lock"
pip install --quiet --require-hashes --no-deps --only-binary :all: --no-compile --target "$site" -r requirements.lock
pip install --quiet --require-hashes --no-deps --only-binary :all: --no-compile --target "$site" --upgrade -r "$work/alerts.lock"
rm -rf "$site"/setuptools* "$site"/pkg_resources "$site"/_distutils_hack "$site"/distutils-precedence.pth "$site/bin"
mkdir "$work/source"
cp -R daemon connectors config pyproject.toml README.md LICENSE "$work/source/"
pip install --quiet --no-deps --no-build-isolation --no-compile --target "$site" --upgrade "$work/source"
rm -rf "$site/bin"
find "$site" -name __pycache__ -prune -exec rm -rf {} +

# A folder that an interpreter takes for a virtual environment: children of the guard find the same packages.
printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = %s\n' "$minor" > "$home/pyvenv.cfg"
ln -s "/usr/bin/python$minor" "$home/bin/python"
ln -s python "$home/bin/python3"
printf '#!/usr/lib/seawall/bin/python -P\nimport sys\n\nfrom daemon.cli import main\n\nsys.exit(main())\n' > "$home/bin/seawall"
chmod 0755 "$home/bin/seawall"
"$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$tree" "$site" > /dev/null

install -d "$tree/usr/bin" "$tree/usr/sbin" "$tree/usr/lib/systemd/system" "$tree/usr/lib/sysusers.d" \
    "$tree/usr/lib/tmpfiles.d" "$tree/usr/share/seawall" "$tree/usr/share/doc/seawall"
ln -s ../lib/seawall/bin/seawall "$tree/usr/bin/seawall"
install -m 0755 deploy/new-account "$tree/usr/sbin/seawall-new-account"
install -m 0755 deploy/check-account "$tree/usr/sbin/seawall-check"
install -m 0644 deploy/systemd/*.service "$tree/usr/lib/systemd/system/"
install -m 0644 deploy/sysusers.d/seawall.conf "$tree/usr/lib/sysusers.d/"
install -m 0644 deploy/tmpfiles.d/seawall.conf "$tree/usr/lib/tmpfiles.d/"
install -m 0644 deploy/systemd/254/growing-delay.conf "$tree/usr/share/seawall/"
install -m 0644 config/profiles/careful.toml config/profiles/seawall.schema.json "$tree/usr/share/seawall/"
install -m 0644 deploy/runbook.md README.md CHANGELOG.md docs/*.md "$tree/usr/share/doc/seawall/"
install -m 0644 deploy/systemd/README.md "$tree/usr/share/doc/seawall/systemd.md"
install -m 0644 LICENSE "$tree/usr/share/doc/seawall/copyright"
cp -R deploy/prometheus deploy/grafana "$tree/usr/share/seawall/"

sed -e "s|@VERSION@|$version|; s|@ARCH@|$arch|; s|@MINOR@|$minor|g; s|@NEXT@|$next|" \
    -e "s|@SIZE@|$(du -ks "$tree/usr" | cut -f1)|" deploy/debian/control.in > "$tree/DEBIAN/control"
for script in postinst prerm postrm; do
    install -m 0755 "deploy/debian/$script" "$tree/DEBIAN/$script"
done
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$out/seawall_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz -z6 --build "$tree" "$package" > /dev/null
echo "$package"
