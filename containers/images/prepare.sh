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
# Wherever it was installed to.
command -v postconf >/dev/null || {
    found=$(find / -xdev -name postconf -type f -perm -u+x 2>/dev/null | head -n 1)
    [ -n "$found" ] || die "no postconf in it: is Postfix installed in it?"
    PATH=$PATH:${found%/*}
}
command -v flock >/dev/null || die "no flock in it: install util-linux (Debian, Fedora) or busybox"

default() { postconf -d -h "$1" 2>/dev/null || :; }
config=$(default config_directory)
mkdir -p "$config" /etc/postfix/pfs /var/lib/pfs
chmod 0755 /etc/postfix/pfs /var/lib/pfs
# Only what the distribution ships says where its Postfix is; without it, what it was built with does.
[ -e "$config/main.cf" ] || : >"$config/main.cf"
[ -e "$config/master.cf" ] || : >"$config/master.cf"
owner=$(postconf -h mail_owner)
id "$owner" >/dev/null 2>&1 || die "no user $owner (mail_owner) in it: $(postconf -h command_directory)/postfix needs it"
for directory in "$(postconf -h queue_directory)" "$(postconf -h data_directory)"; do
    [ -d "$directory" ] || mkdir -p "$directory"
done
chown "$owner" "$(postconf -h data_directory)"

# Queue directories, with their owners.
postfix check

# Who can log in where `smtpd_sasl_path` is `submission`. The database is for smtpd(8) alone. Debian's Postfix looks for the
# configuration here, whatever `cyrus_sasl_config_path` says.
if command -v saslpasswd2 >/dev/null; then
    mkdir -p "$config/sasl" /var/lib/pfs/sasl
    for user in alice bob; do
        printf '%s' "secret-of-$user" | saslpasswd2 -p -c -f /var/lib/pfs/sasl/users -u example.test "$user"
    done
    chown "$owner" /var/lib/pfs/sasl/users
    chmod 0400 /var/lib/pfs/sasl/users
    cat >"$config/sasl/submission.conf" <<'END'
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /var/lib/pfs/sasl/users
mech_list: PLAIN LOGIN
END
fi

has() {
    if command -v "$1" >/dev/null; then echo "$1"; fi
}
{
    echo "== defaults"
    postconf -d
    echo "== shipped"
    postconf -n
    echo "== master"
    postconf -M || :
    echo "== overrides"
    postconf -P || :
    echo "== openssl"
    postconf -T run-version || openssl version
    echo "== maps"
    postconf -m
    echo "== programs"
    for program in nsd unbound ldns-keygen ldns-signzone drill openssl gnutls-cli gnutls-serv msmtp posttls-finger saslpasswd2; do has "$program"; done
    [ ! -x /opt/exim/usr/sbin/exim4 ] || echo exim
} >/var/lib/pfs/facts 2>/dev/null
