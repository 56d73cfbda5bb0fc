#!/bin/sh
# Puts Exim into /opt/exim of a Debian system: as packages, it and Postfix exclude each other.
set -eu
libraries=$(apt-cache depends exim4-daemon-light | sed -n "s/^ *Depends: \(lib[^ ]*\)\$/\1/p")
# shellcheck disable=SC2086 # one word for each library
apt-get install -y --no-install-recommends $libraries
cd /tmp
apt-get download exim4-daemon-light
dpkg-deb --extract exim4-daemon-light_*.deb /opt/exim
rm exim4-daemon-light_*.deb
