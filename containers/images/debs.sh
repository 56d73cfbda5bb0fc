#!/bin/sh
# Installs .deb files over a Debian system: Postfix, what it needs of them, and whatever of them replaces a package that
# is installed; what they need besides comes from the release's mirror.
set -eu
directory=$1
die() {
    echo "debs: $*" >&2
    exit 1
}
# No package starts or stops a service of this machine.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

cd "$directory"
for file in *.deb; do
    package=$(dpkg-deb -f "$file" Package) || die "$file is no .deb file"
    case $package in *-dbgsym) continue ;; esac
    [ ! -e "by-name/$package" ] || die "two files have the package $package: $file and $(cat "by-name/$package")"
    mkdir -p by-name
    echo "$file" >"by-name/$package"
done
[ -e by-name/postfix ] || die "none of $(ls -- *.deb | wc -l) .deb files has the package postfix"

take() {
    [ -e "by-name/$1" ] && [ ! -e "taken/$1" ] || return 0
    mkdir -p taken
    : >"taken/$1"
    # Alternatives, versions and architectures do not matter to which files are looked at.
    dpkg-deb -f "$(cat "by-name/$1")" Pre-Depends Depends |
        sed 's/^[^:]*: //; s/([^)]*)//g; s/:[a-z0-9]*//g' | tr ',|' '\n\n' | tr -d ' ' >"needs.$1"
    while read -r needed; do take "$needed"; done <"needs.$1"
}
take postfix
for known in by-name/*; do
    known=${known#by-name/}
    if dpkg-query -W -f '${db:Status-Abbrev}' "$known" 2>/dev/null | grep -q '^ii'; then take "$known"; fi
done
set --
for package in taken/*; do
    package=${package#taken/}
    set -- "$@" "$(cat "by-name/$package")"
done
echo "installing $*"
if ! dpkg --force-confdef --force-confold --install "$@" >dpkg.log 2>&1; then
    cat dpkg.log
    # Something they depend on is missing.
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends --fix-broken
fi
for package in taken/*; do
    package=${package#taken/}
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" | grep -q '^ii' || {
        cat dpkg.log
        die "$package is not installed"
    }
done
