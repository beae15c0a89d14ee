#!/bin/sh
# Makes this machine ready for the checkout: system packages here, all else in environment.py.
#
# It lies in the package, and not beside the Makefile, because `scxhid doctor` reads the same
# package lists to name what is missing. It is POSIX sh because a bare machine has no Python yet.
#
#   setup.sh           what building, running, testing and the virtual machines need
#   setup.sh --lint    the linters as well
#
# Exit status: 0 ready, 1 a step failed, 3 this machine cannot be made ready, 4 root is needed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
lint=${1:-}

say() { printf 'setup: %s\n' "$*"; }
fail() { status=$1; shift; printf 'setup: %s\n' "$*" >&2; exit "$status"; }

if command -v apt-get >/dev/null; then manager=apt
elif command -v dnf >/dev/null; then manager=dnf
elif command -v pacman >/dev/null; then manager=pacman
else fail 3 "no apt-get, dnf or pacman here; install the packages of $here/packages/apt by their local names, then run it again"
fi

# Prints "package at-least needed-for" of every package wanted.
wanted() {
	while read -r package least need; do
		case $package in ''|'#'*) continue ;; esac
		[ "$need" = lint ] && [ "$lint" != --lint ] && continue
		echo "$package $least $need"
	done < "$here/packages/$manager"
}

# Prints "package version" of every one installed. Asking is quick enough to need no record of ours,
# which a package removed by hand would make a lie.
installed() {
	names=$(wanted | cut -d' ' -f1)
	# shellcheck disable=SC2086  # a list of words
	case $manager in
	apt) dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' $names 2>/dev/null |
		sed -n 's/^installed //p' ;;
	dnf) rpm -q --qf '%{NAME} %{VERSION}\n' $names | grep -v 'not installed' ;;
	pacman) pacman -Q $names 2>/dev/null ;;
	esac || true
}

# at_least VERSION LEAST: an epoch (1:10.0) says nothing about the program's own version.
at_least() {
	[ "$2" = - ] || [ "$(printf '%s\n%s\n' "$2" "${1#*:}" | sort -V | head -n 1)" = "$2" ]
}

# Prints "package least need" of every package absent or too old.
missing() {
	have=$(installed)
	wanted | while read -r package least need; do
		version=$(printf '%s\n' "$have" | sed -n "s/^$package //p" | head -n 1)
		if [ -z "$version" ] || ! at_least "$version" "$least"; then
			echo "$package $least $need"
		fi
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else fail 4 "installing packages needs root, and there is no sudo; as root run: $*"
	fi
}

install_packages() {
	lacking=$(missing)
	[ -n "$lacking" ] || return 0
	say "$(printf '%s\n' "$lacking" | wc -l) system packages are missing or too old:"
	for need in setup build vm lint; do
		names=$(printf '%s\n' "$lacking" | sed -n "s/ [^ ]* $need\$//p" | tr '\n' ' ')
		[ -z "$names" ] || say "  for $need: $names"
	done
	say "installing them with $manager, which needs root (nothing else here does)"
	# shellcheck disable=SC2046  # a list of words
	case $manager in
	apt) as_root sh "$here/apt.sh" $(printf '%s\n' "$lacking" | sed 's| - .*||; s| \([^ ]*\) [^ ]*$|/\1|') ;;
	dnf) as_root dnf install -y $(printf '%s\n' "$lacking" | cut -d' ' -f1) ;;
	pacman) as_root pacman -S --needed --noconfirm $(printf '%s\n' "$lacking" | cut -d' ' -f1) ;;
	esac || exit $?
	lacking=$(missing)
	[ -z "$lacking" ] || fail 3 "$manager does not have these, or only too old: $(printf '%s\n' "$lacking" |
		sed 's/ - .*//; s/ \([^ ]*\) [^ ]*$/ (at least \1)/' | tr '\n' ' ')"
}

# A Python that can make a virtual environment and compile an extension: distributions ship venv,
# ensurepip and the headers apart from the interpreter, and the first python3 on PATH may lack them.
usable_python() {
	command -v "$1" >/dev/null && "$1" - 2>/dev/null <<'END'
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not (sys.version_info >= (3, 11) and os.path.exists(header)))
END
}

install_packages
for python in ${PYTHON:-"$root/.venv/bin/python" python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11}; do
	if usable_python "$python"; then
		exec "$python" -B "$here/environment.py" "$root" ${lint:+"$lint"}
	fi
done
fail 3 "no Python 3.11 or newer with venv, ensurepip and Python.h among ${PYTHON:-the python3 commands on PATH}; name one: make setup PYTHON=/path/to/python3"
