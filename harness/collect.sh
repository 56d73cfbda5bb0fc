#!/bin/sh
# collect.sh [LOG]: prints what a report about Postfix and TLS needs, on standard output, for `pfs import -` or a person.
# Passwords are replaced, keys and tables are not read. -a as first argument replaces IPv4 addresses, too.
# Read it before you paste it.
set -u
LC_ALL=C
export LC_ALL

addresses='s/^//'
if [ "${1-}" = -a ]; then
    addresses='s/[0-9]\{1,3\}\.[0-9]\{1,3\}\.[0-9]\{1,3\}\.[0-9]\{1,3\}/192.0.2.1/g'
    shift
fi

redacted() {
    awk '/-----BEGIN .*PRIVATE KEY/ { print "(a private key)"; key = 1 } !key { print } /-----END / { key = 0 }' |
        sed -e 's/\(sasl_password_maps.*inline:\).*/\1{(secret)}/' \
        -e 's/\(bind_pw *= *\).*/\1(secret)/' \
        -e 's/\(_secret *= *\).*/\1(secret)/' \
        -e 's/\(_pass *= *\).*/\1(secret)/' \
        -e 's/\(passphrase *= *\).*/\1(secret)/' \
        -e 's/\(static:[^: ]*:\)[^ ]*/\1(secret)/g' \
        -e 's,\(://[^:/ ]*:\)[^@ ]*@,\1(secret)@,g' \
        -e 's/\([Pp]assw[a-z]* *[=:] *\)[^ ,]*/\1(secret)/g' \
        -e 's/<[^@<> ]*@/<user@/g' \
        -e 's/sasl_username=[^ ,]*/sasl_username=user/g' \
        -e "$addresses"
}

shown() {
    printf '\n# %s\n' "$*"
    "$@" 2>&1 | redacted
}

if ! command -v postconf >/dev/null 2>&1; then
    echo "collect.sh: there is no postconf in PATH ($PATH); run it where Postfix is, as root" >&2
    exit 1
fi
shown postconf mail_version
shown postconf -n
shown postconf -M
# Postfix 2.11 and later.
if postconf -P >/dev/null 2>&1; then
    shown postconf -P
fi
if command -v openssl >/dev/null 2>&1; then
    shown openssl version
fi

log=${1-}
if [ -z "$log" ]; then
    for known in "$(postconf -h maillog_file 2>/dev/null)" /var/log/mail.log /var/log/maillog; do
        if [ -n "$known" ] && [ -f "$known" ] && [ -r "$known" ]; then
            log=$known
            break
        fi
    done
fi
wanted='TLS|SSL_|certificate|TLSA|STARTTLS|wrappermode|SASL|DANE'
printf '\n# the last lines about TLS\n'
if [ -n "$log" ]; then
    grep -E "postfix.*($wanted)" "$log" | tail -n 60 | redacted
elif command -v journalctl >/dev/null 2>&1; then
    journalctl -q --no-pager -n 5000 -t postfix/smtpd -t postfix/smtp 2>/dev/null | grep -E "$wanted" | tail -n 60 | redacted
else
    echo "(no log was found: give its name)"
fi
