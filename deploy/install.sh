#!/bin/sh
# Installs Seawall from this checkout, or from a wheel, with its systemd units. Run again, it brings what is there up to
# date and changes nothing else; settings, credentials and state are never touched.
#
#   sh deploy/install.sh --dry-run        says what it would do
#   sh deploy/install.sh                  installs into /opt/seawall
#   sh deploy/install.sh --uninstall      takes away what it installed
set -eu

usage() {
    cat << 'TEXT'
usage: install.sh [--dry-run] [--prefix DIR] [--wheel FILE] [--python PROGRAM] [--program FILE] [--root DIR]
       install.sh --uninstall [--purge] [--dry-run] [--prefix DIR] [--root DIR]

  --dry-run          say what would be done, change nothing
  --prefix DIR       where the environment goes (/opt/seawall)
  --wheel FILE       install this wheel instead of the checkout
  --python PROGRAM   interpreter, 3.11 or newer (python3)
  --program FILE     this `seawall` is there already: make no environment, only lay units and folders
  --root DIR         install below this folder, for an image: users and services of this machine stay alone
  --uninstall        stop and disable the services, take away environment and units
  --purge            with --uninstall: settings, credentials and state too
TEXT
}

dry='' prefix=/opt/seawall wheel='' python=python3 program='' root='' uninstall='' purge=''
while [ $# -gt 0 ]; do
    case "$1" in
        --prefix | --wheel | --python | --program | --root)
            [ $# -gt 1 ] || { echo "install.sh: $1 needs a value" >&2; exit 2; } ;;
    esac
    case "$1" in
        --dry-run) dry=yes ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        --prefix) prefix=$2; shift ;;
        --wheel) wheel=$2; shift ;;
        --python) python=$2; shift ;;
        --program) program=$2; shift ;;
        --root) root=$2; shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "install.sh: $1 is not understood" >&2; usage >&2; exit 2 ;;
    esac
    shift
done
[ -z "$purge" ] || [ -n "$uninstall" ] || { echo "install.sh: --purge goes with --uninstall" >&2; exit 2; }
case "$prefix" in
    /*) ;;
    *) echo "install.sh: --prefix needs a path from the root: $prefix" >&2; exit 2 ;;
esac
case "$prefix$program" in
    *[[:space:]]*) echo "install.sh: no blanks in --prefix or --program: units and the first line of a script cannot name them" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(dirname "$here")
seawall=${program:-$prefix/bin/seawall}
units=$root/etc/systemd/system
work=$(mktemp -d "${TMPDIR:-/tmp}/seawall-install.XXXXXX")
trap 'rm -rf "$work"' EXIT

run() { # carry out, or say
    if [ -n "$dry" ]; then echo "would run: $*"; else "$@"; fi
}
lay() { # MODE FILE TARGET: install a file unless the same is there
    if cmp -s "$2" "$3" 2> /dev/null; then return; fi
    if [ -n "$dry" ]; then echo "would write: $3"; return; fi
    install -D -m "$1" "$2" "$3"
    echo "wrote $3"
}
gone() { # FILE...: remove what is there
    for each in "$@"; do
        if [ ! -e "$each" ] && [ ! -L "$each" ]; then continue; fi
        if [ -n "$dry" ]; then echo "would remove: $each"; else rm -rf "$each"; echo "removed $each"; fi
    done
}
on_this_machine() { [ -z "$root" ]; }
has_systemd() { on_this_machine && [ -d /run/systemd/system ]; }

remove_all() {
    if has_systemd; then
        # An orderly stop: the protective stops stay on the exchange.
        run systemctl stop 'seawall@*.service' 'seawall-web@*.service' seawall-exchange.service
        for each in "$units"/multi-user.target.wants/seawall*.service; do
            [ -L "$each" ] && run systemctl disable "$(basename "$each")"
        done
    fi
    gone "$units/seawall@.service" "$units/seawall-web@.service" "$units/seawall-exchange.service" \
        "$units/seawall@.service.d/growing-delay.conf" "$root/etc/sysusers.d/seawall.conf" \
        "$root/etc/tmpfiles.d/seawall.conf" "$root/usr/local/bin/seawall" "$root/usr/local/sbin/seawall-new-account" \
        "$root/usr/local/sbin/seawall-check" "$root/usr/local/share/seawall" "$root$prefix"
    if has_systemd; then run systemctl daemon-reload; fi
    if [ -n "$purge" ]; then
        gone "$root/etc/seawall" "$root/var/lib/seawall" "$root/var/lib/seawall-exchange" \
            "$root/var/lib/private/seawall-exchange"
    else
        echo "settings and credentials (/etc/seawall) and state (/var/lib/seawall) stay; --purge removes them too"
    fi
}

pip_install() { # into the environment that is being made; a folder's name may hold blanks
    run "$fresh/bin/python" -m pip --quiet --disable-pip-version-check --no-input install "$@"
}

make_environment() {
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
        echo "install.sh: needs Python 3.11 or newer; name one with --python" >&2
        exit 1
    fi
    target=$root$prefix
    # Beside the one in use, then exchanged: an installation that fails leaves the old one at work.
    fresh=$target.new
    run rm -rf "$fresh"
    run "$python" -m venv "$fresh"
    "$python" "$here/lock_of_extra.py" "$checkout/requirements-dev.lock" apprise pillow > "$work/alerts.lock"
    pip_install --require-hashes -r "$checkout/requirements.lock"
    pip_install --require-hashes --no-deps -r "$work/alerts.lock"
    if [ -n "$wheel" ]; then
        pip_install --no-deps "$wheel"
    else
        mkdir "$work/source"
        (cd "$checkout" && cp -R daemon connectors config pyproject.toml README.md LICENSE "$work/source/")
        pip_install --no-deps --no-build-isolation "$work/source"
    fi
    printf '#!%s/bin/python -P\nimport sys\n\nfrom daemon.cli import main\n\nsys.exit(main())\n' "$prefix" > "$work/seawall"
    lay 0755 "$work/seawall" "$fresh/bin/seawall"
    run rm -rf "$target.old"
    if [ -e "$target" ]; then run mv "$target" "$target.old"; fi
    run mv "$fresh" "$target"
    run rm -rf "$target.old"
}

lay_files() {
    for unit in "$here"/systemd/*.service; do
        sed "s|/usr/bin/seawall|$seawall|g; s|/usr/share/doc/seawall|/usr/local/share/seawall|" "$unit" > "$work/unit"
        lay 0644 "$work/unit" "$units/$(basename "$unit")"
    done
    version=$(systemctl --version 2> /dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
    if [ "${version:-0}" -ge 254 ]; then
        lay 0644 "$here/systemd/254/growing-delay.conf" "$units/seawall@.service.d/growing-delay.conf"
    else
        echo "systemd ${version:-of unknown version} starts a dead guard again every 5 s; from 254 on the pause could grow"
    fi
    lay 0644 "$here/sysusers.d/seawall.conf" "$root/etc/sysusers.d/seawall.conf"
    lay 0644 "$here/tmpfiles.d/seawall.conf" "$root/etc/tmpfiles.d/seawall.conf"
    lay 0644 "$checkout/config/profiles/careful.toml" "$root/usr/local/share/seawall/careful.toml"
    lay 0644 "$here/runbook.md" "$root/usr/local/share/seawall/runbook.md"
    sed "s|/usr/share/seawall|/usr/local/share/seawall|" "$here/new-account" > "$work/new-account"
    lay 0755 "$work/new-account" "$root/usr/local/sbin/seawall-new-account"
    sed "s|/usr/bin/seawall|$seawall|" "$here/check-account" > "$work/check-account"
    lay 0755 "$work/check-account" "$root/usr/local/sbin/seawall-check"
    if [ -z "$program" ] && [ "$(readlink "$root/usr/local/bin/seawall" 2> /dev/null)" != "$seawall" ]; then
        run install -d "$root/usr/local/bin"
        run ln -sfn "$seawall" "$root/usr/local/bin/seawall"
    fi
}

settle_in() {
    if on_this_machine; then
        run systemd-sysusers seawall.conf
        run systemd-tmpfiles --create seawall.conf
    fi
    if has_systemd; then
        run systemctl daemon-reload
        # A guard that runs goes on with the new version; its stops stay where they rest meanwhile.
        run systemctl try-restart 'seawall@*.service' 'seawall-web@*.service' seawall-exchange.service
    fi
}

if [ -z "$dry" ] && on_this_machine && [ "$(id -u)" != 0 ]; then
    echo "install.sh: needs root (or --root DIR, or --dry-run)" >&2
    exit 1
fi
if [ -n "$uninstall" ]; then
    remove_all
    exit 0
fi
if [ -z "$program" ]; then make_environment; fi
lay_files
settle_in
[ -n "$dry" ] || echo "installed; next: seawall-new-account NAME"
