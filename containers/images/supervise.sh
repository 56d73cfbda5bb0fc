#!/bin/sh
# Starts one Postfix, and ends it when nobody needs it any more. The same for every engine:
#
#   supervise HOME DAEMON_DIRECTORY POLL     POLL: seconds between two looks at the lease, or `forever`
#
# HOME is empty in a container, whose end removes everything. In the chroot engine it is the directory that holds
# the fleet's root (HOME/root) and is removed with it.
#
# Every process that uses the fleet has a connection to its lease port open, and Postfix's spawn(8) holds a shared
# lock for each (see master.cf). When four looks in a row find no lock, nobody is left.

home=$1 daemons=$2 poll=$3 own_mounts=$PFS_OWN_MOUNTS
unset PFS_OWN_MOUNTS
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
root=
[ -z "$home" ] || root=$home/root
lease=$root/etc/postfix/pfs/lease

watch() {
    unused=0
    while [ "$unused" -lt 4 ]; do
        sleep "$poll"
        if flock -n -x "$lease" true; then unused=$((unused + 1)); else unused=0; fi
    done
    echo "pfs: nobody uses this fleet any more: it ends"
    kill -TERM "$1"
}

if [ "$4" = watch ]; then
    watch "$5"
    exit
fi

# Exim asks for this user's number before it does anything; its package would have made the user.
if [ -x "$root/opt/exim/usr/sbin/exim4" ] && ! grep -q '^Debian-exim:' "$root/etc/passwd"; then
    echo 'Debian-exim:x:65534:65534::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
    echo 'Debian-exim:x:65534:' >>"$root/etc/group"
fi

# In sessions of their own, so that each can be ended as a group.
in_session() {
    if [ -n "$root" ]; then exec setsid chroot "$root" "$@"; else exec setsid "$@"; fi
}

# The name servers of a fleet that has zones (images/dns.sh); those of before have let go of their ports first.
dns=
serve_names() {
    if [ -n "$dns" ]; then
        kill -TERM "-$dns" 2>/dev/null
        wait "$dns"
    fi
    dns=
    [ -f "$root/etc/postfix/pfs/dns/start" ] || return
    in_session /bin/sh /etc/postfix/pfs/dns/start $$ &
    dns=$!
}
serve_names
in_session "$daemons/master" -d &
master=$!
watcher=
if [ "$poll" != forever ]; then
    setsid /bin/sh "$0" "$home" "$daemons" "$poll" watch $$ &
    watcher=$!
fi

ended=
trap 'ended=asked; kill -KILL "-$master"' TERM INT HUP
# New files are in place: zones are signed and served anew; master reads the rest, and its children go when they are
# done.
trap 'serve_names; kill -HUP "$master"' USR1
wait "$master"
status=$?
while [ -z "$ended" ] && kill -0 "$master" 2>/dev/null; do
    wait "$master"
    status=$?
done
trap '' TERM INT HUP USR1
if [ -z "$ended" ]; then
    # master(8) is silent about a main.cf it cannot use.
    if [ -n "$root" ]; then chroot "$root" postfix check 2>&1; else postfix check 2>&1; fi
    echo "pfs: master ended with status $status"
fi
kill -KILL "-$master" 2>/dev/null
[ -z "$dns" ] || kill -KILL "-$dns" 2>/dev/null
[ -z "$watcher" ] || kill -KILL "-$watcher" 2>/dev/null

if [ -n "$home" ]; then
    # Those in groups of their own, too: a lease that is still held would say that the fleet runs.
    for process in /proc/[0-9]*; do
        if [ "$process/root" -ef "$root" ]; then kill -KILL "${process#/proc/}" 2>/dev/null; fi
    done
    # In a mount namespace of our own, what images/mounts.sh mounted is ours to take away. Blanks are octal there, which
    # printf understands.
    if [ -n "$own_mounts" ]; then
        cut -d ' ' -f 5 /proc/self/mountinfo | grep -F "$home/" | sort -r |
            while read -r mounted; do umount -l "$(printf '%b' "$mounted")"; done
    fi
    # The marker is made by the engine as the first file of a home, and nowhere else. Nothing of ours is ever mounted
    # in a home; what somebody else mounted there is not ours to remove.
    if [ -f "$home/pfs-fleet" ] && ! grep -qF " $home/" /proc/self/mountinfo; then
        rm -rf -- "$home"
    fi
elif [ -z "$ended" ]; then
    # Time for the harness to read why, before the container removes itself.
    sleep 2
fi
