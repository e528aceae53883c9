# shellcheck shell=bash
# Sourced by the scripts beside it: messages, and packages of any Debian suite that leave the
# host's own package state as it is.

PATH=$PATH:/usr/sbin:/sbin # depmod and its like are not in every user's path
# shellcheck disable=SC2034 # for the scripts that source this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'vmmio: %s\n' "$*" >&2; }
die() {
    printf 'vmmio: error: %s\n' "$*" >&2
    exit 1
}

# need_build_folder: makes build/. One that root has made keeps others out.
need_build_folder() {
    mkdir -p "$TOP/build" 2>/dev/null || true
    [ -w "$TOP/build" ] ||
        die "$TOP/build cannot be written; remove it as its owner, or use a checkout of your own"
}

# codename: the host's Debian release, e.g. bookworm.
codename() { (. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}"); }

# mirror: the Debian archive that the host's own apt uses, so that proxies and local mirrors
# stay in force. DEBIAN_MIRROR overrides it.
mirror() {
    local uri=${DEBIAN_MIRROR:-}
    if [ -z "$uri" ]; then
        # shellcheck disable=SC2016 # apt-get expands these
        uri=$(apt-get indextargets --no-release-info \
            --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' | awk -v code="$(codename)" '
                $3 == "main" && $1 !~ /^cdrom:/ && ($2 == code || $2 ~ /^(stable|testing|unstable|sid)$/) {
                    if (!found++) print $1 }')
    fi
    [ -n "$uri" ] || die "apt knows no Debian archive; set DEBIAN_MIRROR to the URI of one"
    printf '%s\n' "$uri"
}

# suite_open SUITE: points apt at SUITE alone, with lists, cache and an empty set of installed
# packages of its own; apt-get and apt-cache then act on it until suite_close. Fails, with a message,
# if SUITE cannot be reached.
suite_open() {
    local suite=$1 uri keyring signed_by=''
    command -v apt-get >/dev/null || die "fetching Debian's $suite needs apt-get; use a Debian host"
    uri=$(mirror) || exit 1
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        [ ! -e "$keyring" ] || signed_by="signed-by=$keyring"
    done
    SUITE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/vmmio-apt.XXXXXX")
    trap suite_close EXIT
    mkdir -p "$SUITE_DIR/lists/partial" "$SUITE_DIR/cache/archives/partial"
    : >"$SUITE_DIR/status"
    printf 'deb [arch=amd64 %s] %s %s main\n' "$signed_by" "$uri" "$suite" >"$SUITE_DIR/sources.list"
    # Proxy and transport settings come from the host; its hooks and pins do not.
    {
        apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
        cat <<CONF
Dir::Etc::parts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::sourcelist "$SUITE_DIR/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$SUITE_DIR";
Dir::State::status "$SUITE_DIR/status";
Dir::Cache "$SUITE_DIR/cache";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
CONF
    } >"$SUITE_DIR/apt.conf"
    export APT_CONFIG=$SUITE_DIR/apt.conf
    say "reading the package list of Debian $suite"
    # apt-get takes an unreachable archive for a mere warning unless told otherwise.
    if ! apt-get -qq update --error-on=any >"$SUITE_DIR/log" 2>&1; then
        say "no package list of Debian $suite could be had: $(suite_error)"
        suite_close
        return 1
    fi
}

# suite_error: apt's first complaint; the later ones follow from it.
suite_error() { grep -m 1 '^[EW]:' "$SUITE_DIR/log" || true; }

# suite_download PACKAGE...: fetches exactly these packages.
suite_download() {
    (cd "$SUITE_DIR/cache/archives" && apt-get -qq download "$@") >"$SUITE_DIR/log" 2>&1 ||
        die "apt cannot download $*: $(suite_error)"
}

# suite_download_closure PACKAGE...: fetches these packages and everything they depend on.
suite_download_closure() {
    apt-get -qq --yes --download-only install "$@" >"$SUITE_DIR/log" 2>&1 ||
        die "apt cannot download $* with what they need: $(suite_error)"
}

# suite_unpack FOLDER: unpacks everything downloaded into FOLDER.
suite_unpack() {
    local deb
    for deb in "$SUITE_DIR"/cache/archives/*.deb; do
        dpkg-deb -x "$deb" "$1" || die "$(basename "$deb") cannot be unpacked; is the disk full?"
    done
}

suite_close() {
    unset APT_CONFIG
    [ -z "${SUITE_DIR:-}" ] || rm -rf "$SUITE_DIR"
    SUITE_DIR=
}
