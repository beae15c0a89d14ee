#!/bin/sh
# Installs Debian packages, from backports those that the release has only too old. Run as root.
#
#   apt.sh NAME|NAME/AT-LEAST-VERSION …
#
# The package lists are read into a private directory, with the machine's own sources and mirror:
# no source is added to the machine, and its lists stay as they are.
set -eu

work=$(mktemp -d)
log=$work/log
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$work" # apt downloads as an unprivileged user
mkdir "$work/lists" "$work/sources.list.d"
: > "$work/sources.list"
[ ! -s /etc/apt/sources.list ] || cp /etc/apt/sources.list "$work/sources.list"
for source in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
	[ ! -s "$source" ] || cp "$source" "$work/sources.list.d/"
done
export DEBIAN_FRONTEND=noninteractive

say() { printf 'setup: %s\n' "$*"; }
fail() { # STATUS TEXT
	printf 'setup: %s; the last lines of apt:\n' "$2" >&2
	tail -n 15 "$log" >&2
	exit "$1"
}

private() {
	command=$1
	shift
	"$command" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/sources.list.d" \
		-o Dir::State::lists="$work/lists" -o Acquire::Languages=none \
		-o DPkg::Lock::Timeout=120 "$@"
}

# Reads apt's status lines (kind:item:percent:text; the item may hold a colon) and shows them: one
# line rewritten on a terminal, one line a quarter elsewhere.
progress() {
	shown=-1 kind=
	while read -r line; do
		case $line in
		dlstatus:*) doing=downloading ;;
		pmstatus:*) doing=installing ;;
		*) continue ;;
		esac
		percent=$(printf '%s' "$line" | sed -n 's/^[a-z]*:.*:\([0-9]*\)\.[0-9]*:.*/\1/p')
		[ -n "$percent" ] || continue
		[ "$doing" = "$kind" ] || shown=-1 kind=$doing
		if [ -t 1 ]; then
			[ "$percent" = "$shown" ] || printf '\rsetup:   %s %3d %%\033[K' "$doing" "$percent"
			shown=$percent
		elif [ $((percent / 25)) -gt "$shown" ]; then
			shown=$((percent / 25))
			printf 'setup:   %s %d %%\n' "$doing" "$percent"
		fi
	done
	[ ! -t 1 ] || printf '\r\033[K'
}

# apt's own exit status has to get past the pipe that shows its progress.
install() {
	{
		private apt-get -y -q --no-install-recommends -o APT::Status-Fd=3 install "$@" \
			3>&1 >> "$log" 2>&1 < /dev/null || echo failed > "$work/failed"
	} | progress
	[ ! -e "$work/failed" ] || fail 1 "apt could not install $*"
}

update() {
	# A third party's broken source must not stop us: what counts is whether the packages are found.
	private apt-get -q update --error-on=any >> "$log" 2>&1 < /dev/null || unread=yes
}

candidate() { # PACKAGE [apt-cache option …]
	name=$1
	shift
	LC_ALL=C private apt-cache "$@" policy "$name" | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || true
}

# satisfied NAME[/VERSION] [apt-cache option …]: an epoch says nothing about the program's own version.
satisfied() {
	pair=$1
	shift
	version=$(candidate "${pair%/*}" "$@")
	[ -n "$version" ] || return 1
	[ "${pair#*/}" = "$pair" ] || dpkg --compare-versions "${version#*:}" ge "${pair#*/}"
}

# Adds the release's backports, from the mirror that the machine has its release from.
add_backports() {
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	signed=''
	[ ! -e "$keyring" ] || signed="[signed-by=$keyring]"
	# shellcheck disable=SC2016  # apt's variables
	private apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN)/$(LABEL)' \
		'Created-By: Packages' | while read -r uri name label; do
		if [ "$name" = "$codename" ] && [ "$label" = Debian/Debian ]; then
			echo "deb $signed $uri $codename-backports main"
			break
		fi
	done > "$work/sources.list.d/scxhid-backports.list"
	[ -s "$work/sources.list.d/scxhid-backports.list" ]
}

say "  reading the package lists"
unread=''
update
plain='' newer='' names='' absent=''
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
for pair in "$@"; do
	if satisfied "$pair"; then plain="$plain ${pair%/*}"; else newer="$newer $pair"; fi
done
if [ -n "$newer" ] && add_backports; then
	say "  reading the lists of $codename-backports, for$newer"
	update
	for pair in $newer; do
		if satisfied "$pair" -t "$codename-backports"; then names="$names ${pair%/*}"; else absent="$absent $pair"; fi
	done
else
	absent=$newer
fi
if [ -n "$absent" ]; then
	[ -z "$unread" ] || fail 1 "apt could not read the package lists, and of what it has it does not know$absent"
	fail 3 "neither $codename nor $codename-backports has$absent"
fi
# shellcheck disable=SC2086  # lists of words
if [ -n "$plain" ]; then
	say "  from $codename:$plain"
	install $plain
fi
if [ -n "$names" ]; then
	say "  from $codename-backports:$names"
	# shellcheck disable=SC2086
	install -t "$codename-backports" $names
fi
