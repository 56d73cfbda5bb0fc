#!/bin/sh
# Runs once in every image and root directory: makes what Postfix's own start would make at a price of seconds,
# and writes down what this Postfix is.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LC_ALL=C
die() {
    echo "prepare: $*" >&2
    exit 1
}
command -v postconf >/dev/null || die "no postconf in this image: is Postfix installed in it?"
command -v flock >/dev/null || die "no flock in this image: install util-linux (Debian, Fedora) or busybox"

# Queue directories, with their owners.
postfix check

mkdir -p /usr/share/pfs /etc/postfix/pfs
chmod 0755 /etc/postfix/pfs
{
    echo "== defaults"
    postconf -d
    echo "== shipped"
    postconf -n
    echo "== openssl"
    postconf -T run-version || openssl version
    echo "== maps"
    postconf -m
} >/usr/share/pfs/facts 2>/dev/null
