#!/bin/sh
# Puts other mail programs and TLS stacks beside Postfix in a Debian system, and what makes a database of users.
set -eu

# The newest version that the mirror really has: its list may name one that it has lost.
install() {
    for version in $(apt-cache madison "$1" | cut -d "|" -f 2); do
        if apt-get install -y --no-install-recommends "$1=$version"; then return; fi
    done
    echo "no mirror has $1" >&2
    return 1
}
install gnutls-bin
install msmtp
install sasl2-bin

# Exim goes into /opt/exim: as packages, it and Postfix exclude each other.
libraries=$(apt-cache depends exim4-daemon-light | sed -n "s/^ *Depends: \(lib[^ ]*\)\$/\1/p")
# shellcheck disable=SC2086 # one word for each library
apt-get install -y --no-install-recommends $libraries
cd /tmp
apt-get download exim4-daemon-light
dpkg-deb --extract exim4-daemon-light_*.deb /opt/exim
rm exim4-daemon-light_*.deb
