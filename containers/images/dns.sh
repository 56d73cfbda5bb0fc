#!/bin/sh
# Signs a fleet's zones and serves them: nsd for the zones, unbound as the validating resolver in front of it, with
# the key of our own root zone as its only trust anchor. Started by images/supervise.sh, in the fleet's root; ends with
# status 3 when a server ends that had started, and so must the fleet.
#
# What is beside this script:
#
#   zones          a line for each zone, the root last: FILE NAME STATE PARENT-FILE SERVER
#   zone/FILE      the zone, unsigned
#   nsd.conf, unbound.conf
#   generation     told in the line that says that all of it works
#
# Addresses are those of the fleet: @RESOLVER@ is the one Postfix asks, @AUTHORITY@ its neighbour, @HARNESS@ ours.
# Port 53 of those two, and nothing else, is listened on; no query leaves the fleet.

PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
dns=/etc/postfix/pfs/dns
run=$dns/run

missing=
for tool in nsd unbound ldns-keygen ldns-signzone drill; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "dns: missing$missing"
    exit
fi

started=0
fail() {
    echo "pfs: dns: $*"
    # Its own process group; who does not end so is killed with the fleet.
    trap '' TERM
    kill -TERM 0
    [ "$started" != 2 ] || exit 3
    exit 1
}

# The tools' own words on standard input.
words() {
    while read -r line; do echo "dns: $line"; done
}

# What nsd and unbound do when they are asked to end, this script does after them.
trap 'wait; exit' TERM

rm -rf "$run"
mkdir "$run" && cd "$run" || fail "cannot make $run"
resolver=$(sed -n '/^nameserver /{s///;p;q;}' /etc/resolv.conf)
harness=$(sed -n '/[[:space:]]harness\.pfs\.test/{s/[[:space:]].*//;p;q;}' /etc/hosts)
{ [ -n "$resolver" ] && [ -n "$harness" ]; } || fail "no address in /etc/resolv.conf or /etc/hosts"
# Each process takes milliseconds, and there may be dozens of zones: none is started for each that can be for all.
cp "$dns"/zone/* "$dns"/*.conf . || fail "cannot write to $run"
sed -i "s/@RESOLVER@/$resolver/g; s/@AUTHORITY@/${resolver%.*}.2/g; s/@HARNESS@/$harness/g" ./* ||
    fail "cannot fill in addresses"

# NAME → the base name of a new key's files.
key() {
    ldns-keygen -r /dev/urandom -a ECDSAP256SHA256 -k "$1"
}

# All keys at once, then their DS records into the parents' zones, then all signatures at once.
keys() {
    anchor=$(key "$2") || return
    signing=$anchor
    # The parent vouches for a key that signs nothing.
    if [ "$3" = wrong-key ]; then signing=$(key "$2") || return; fi
    echo "$anchor $signing" >"$1.keys"
}
while read -r file name state parent server; do
    case $state in unsigned | not-served) continue ;; esac
    keys "$file" "$name" "$state" 2>"$file.words" &
done <"$dns/zones"
wait

sign() {
    read -r anchor signing <"$1.keys" || return
    case $3 in
    expired-signatures)
        ldns-signzone -i 20200101000000 -e 20200201000000 -f "$1.signed" -o "$2" "$1" "$signing"
        ;;
    *) ldns-signzone -f "$1.signed" -o "$2" "$1" "$signing" ;;
    esac || return
    if [ "$3" = no-denial ]; then sed -i '/[[:space:]]NSEC[[:space:]]/d' "$1.signed"; fi
    # ldns prints a TLSA record that is too short in a form that nothing reads; as it was written, it is read.
    if [ "$4" = resolver ]; then
        sed -i '/[[:space:]]IN[[:space:]]TLSA[[:space:]]/d' "$1.signed"
        grep '[[:space:]]TYPE52[[:space:]]' "$1" >>"$1.signed"
    fi
}
while read -r file name state parent server; do
    case $state in unsigned | not-served) continue ;; esac
    if [ "$name" = . ]; then
        read -r anchor signing <"$file.keys" && cp "$anchor.key" root.key
    else
        read -r anchor signing <"$file.keys" && read -r ds <"$anchor.ds" && echo "$ds" >>"$parent"
    fi || {
        words <"$file.words"
        fail "no key for $name"
    }
done <"$dns/zones"
while read -r file name state parent server; do
    case $state in
    unsigned) cp "$file" "$file.signed" ;;
    not-served) ;;
    *) sign "$file" "$name" "$state" "$server" >"$file.words" 2>&1 & ;;
    esac
done <"$dns/zones"
wait
while read -r file name state parent server; do
    if [ "$state" != not-served ] && [ ! -s "$file.signed" ]; then
        words <"$file.words"
        fail "the zone $name cannot be signed"
    fi
done <"$dns/zones"

mkfifo log || fail "cannot make a pipe"
{ nsd -d -c "$run/nsd.conf"; echo "nsd ended with status $?"; } >log 2>&1 &
{ unbound -d -c "$run/unbound.conf"; echo "unbound ended with status $?"; } >log 2>&1 &

# Both run when both have said so. What they say later is read, and not told: they must never wait for a reader.
said=
while read -r line; do
    [ "$started" != 2 ] || said=
    said="$said$line
"
    case $line in
    *"nsd started"* | *"start of service"*)
        started=$((started + 1))
        [ "$started" = 2 ] || continue
        # What Postfix asks, too, before it trusts a resolver (dnssec_probe).
        answer=$(drill -D NS . "@$resolver" 2>&1)
        case $answer in
        *"flags: "*" ad "*) echo "dns: generation $(cat "$dns/generation") answers" ;;
        *)
            echo "$answer" | words
            fail "the resolver does not validate the root zone"
            ;;
        esac
        ;;
    *" error: "* | *" fatal error: "* | *" ended with status "*)
        printf '%s' "$said" | words
        case "$started $line" in
        2*" ended with status "*) fail "a name server has ended" ;;
        [01]*) fail "the name servers do not start" ;;
        esac
        ;;
    esac
done <log
