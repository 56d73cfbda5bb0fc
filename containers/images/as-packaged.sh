#!/bin/sh
# Before master(8) is started as its package would start it: what the package's own start does.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LC_ALL=C

# An authority more, where the system has them: by its hash and in the file with all of them, as update-ca-certificates(8)
# puts it there.
trusted=/etc/postfix/pfs/trusted.pem
if [ -f "$trusted" ] && [ -d /etc/ssl/certs ] && command -v openssl >/dev/null; then
    cp "$trusted" /etc/ssl/certs/pfs-test-ca.pem
    ln -sf pfs-test-ca.pem "/etc/ssl/certs/$(openssl x509 -noout -subject_hash -in "$trusted").0"
    [ ! -f /etc/ssl/certs/ca-certificates.crt ] || cat "$trusted" >>/etc/ssl/certs/ca-certificates.crt
fi

# Debian's ssl-cert made its certificate for the machine that it was installed on: one such as it would make for this host.
snakeoil=/etc/ssl/certs/ssl-cert-snakeoil.pem
if [ -f "$snakeoil" ]; then
    host=$(postconf -xh myhostname)
    openssl req -new -x509 -key /etc/ssl/private/ssl-cert-snakeoil.key -days 3650 -subj "/CN=$host" \
        -addext "subjectAltName = DNS:$host" -out "$snakeoil" 2>/dev/null
fi

# Debian's, for the chroot; on stdout it says what it copies: names of hosts, authorities. Until Postfix 3.7 it is told the instance, later by its environment.
configure=/usr/lib/postfix/configure-instance.sh
[ -x "$configure" ] || exit 0
if grep -q '^INSTANCE=' "$configure"; then
    exec "$configure" - >/dev/null
fi
MAIL_CONFIG=$(postconf -dh config_directory)
export MAIL_CONFIG
for name in command_directory daemon_directory queue_directory data_directory mail_owner setgid_group config_directory; do
    export "$name=$(postconf -xh "$name")"
done
exec "$configure" >/dev/null
