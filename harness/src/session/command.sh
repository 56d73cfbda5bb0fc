#!/bin/sh
# command FILE: runs a program as one end of a case, for whoever is at the other end of standard input and output. FILE,
# a piece of shell, says what is run (harness/src/plan/command.rs).
#
# Three lines of input say what the run alone knows: a word that begins each line which is not the program's, then address
# and port, then `look` where the port is looked at from here. The end of the input ends the program: this shell leads the
# process group that all of it is in.
IFS= read -r secret && read -r host port && read -r look || exit
case $host$port in *[!0-9.]* | '') exit ;; esac
file=$1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/pfs.XXXXXX") && cd "$scratch" || exit
PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin
exec 3<&0 2>&1
finish() {
    trap '' PIPE
    cd / && rm -rf "$scratch"
    [ -z "$1" ] || printf '\n%s ended %s\n' "$secret" "$1"
    kill -KILL 0
}
{
    cat <&3 >/dev/null
    finish ''
} &

# Whether something listens at the port, whatever the address: in a container it is nobody else.
listens() {
    hex=$(printf ':%04X' "$port")
    while read -r _ address _ state _; do
        case $address in *"$hex") [ "$state" != 0A ] || return 0 ;; esac
    done <"$1"
    return 1
}
if [ "$look" = look ]; then
    {
        # No event tells of listen(2). The end of this group ends the loop.
        until listens /proc/net/tcp || listens /proc/net/tcp6; do sleep 0.01; done 2>/dev/null
        printf '\n%s listens\n' "$secret"
    } &
fi

. "$file"
if ! command -v "$1" >/dev/null; then
    echo "no program $1"
    finish 127
fi
# What it is told, and nothing that this shell was told.
run() {
    exec env -i PATH="$PATH" HOME="$scratch" TMPDIR="$scratch" LC_ALL=C.UTF-8 \
        PFS_HOST="$PFS_HOST" PFS_PORT="$PFS_PORT" PFS_CA="$PFS_CA" PFS_CERT="$PFS_CERT" PFS_KEY="$PFS_KEY" \
        PFS_NAME="$PFS_NAME" PFS_MAIL="$PFS_MAIL" PFS_RECIPIENT="$PFS_RECIPIENT" "$@" 3<&-
}
if [ -z "$role" ]; then
    (run "$@" </dev/null) &
    wait $!
    finish $?
fi

# SMTP through the program's standard input (5) and output (6).
mkfifo to from || finish 126
(run "$@" <to >from) &
program=$!
trap '' PIPE
exec 5>to 6<from
carriage=$(printf '\r')
# Sets `heard` to the next line.
hear() {
    IFS= read -r heard <&6 || return
    heard=${heard%"$carriage"}
    printf '< %s\n' "$heard"
}
say() {
    printf '> %s\n' "$1"
    printf '%s\r\n' "$1" 2>/dev/null >&5
}
# The mail. No line of it begins with a dot that SMTP would take.
send_mail() {
    while IFS= read -r line; do
        line=${line%"$carriage"}
        case $line in .*) line=.$line ;; esac
        printf '%s\r\n' "$line"
    done <"$mail" 2>/dev/null >&5
    say .
}
# The last line of a reply, which must begin so; other lines are the program's own words.
reply() {
    while hear; do
        case $heard in
        "$1"' '* | "$1") return 0 ;;
        [245][0-9][0-9]' '*) return 1 ;;
        esac
    done
    return 1
}
client() {
    [ "$implicit" != true ] || reply 220 || return
    say 'EHLO client.example.test' && reply 250 || return
    say 'MAIL FROM:<>' && reply 250 || return
    say "RCPT TO:<$recipient>" && reply 250 || return
    say DATA && reply 354 || return
    send_mail && reply 250 || return
    say QUIT && reply 221
}
server() {
    say "220 $PFS_NAME ESMTP"
    while hear; do
        case $heard in
        EHLO\ * | HELO\ * | MAIL\ * | RCPT\ * | RSET | NOOP) say "250 $PFS_NAME" ;;
        DATA)
            say '354 go on'
            while hear && [ "$heard" != . ]; do :; done
            [ "$heard" = . ] && say '250 2.0.0 taken' || return
            taken=yes
            ;;
        QUIT)
            say '221 bye'
            [ -n "$taken" ]
            return
            ;;
        esac
    done
    return 1
}
taken=
"$role"
spoken=$?
exec 5>&-
# What it says until it ends.
while hear; do :; done
wait "$program"
status=$?
[ "$status" != 0 ] || status=$spoken
finish "$status"
