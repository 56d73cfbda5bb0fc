#!/bin/sh
# Starts one Postfix, and ends it when nobody needs it any more. The same for every engine:
#
#   supervise HOME DAEMON_DIRECTORY POLL     POLL: seconds between two looks at the lease, or `forever`
#
# HOME is empty in a container, whose end removes everything. In the chroot engine it is the directory that holds
# the fleet's root (HOME/root) and is removed with it; it is the current directory, too.
#
# Every process that uses the fleet has a connection to its lease port open, and Postfix's spawn(8) holds a shared
# lock for each (see master.cf). When four looks in a row find no lock, and none has come and gone meanwhile, nobody is left.
#
# A lock on HOME/pfs-mark says that the fleet is in use. This process holds it, and no other that it starts: when it is
# killed, the guard beside it ends the rest, and where the guard is killed, too, the next run of pfs finds the lock free.

home=$1 daemons=$2 poll=$3 own_mounts=$PFS_OWN_MOUNTS
unset PFS_OWN_MOUNTS
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
root=
[ -z "$home" ] || root=$home/root
lease=/etc/postfix/pfs/lease

# Runs a command in the fleet's root: a link there must not lead to a file of this machine. Without the locks that say
# that this process lives.
inside() {
    if [ -n "$root" ]; then chroot "$root" "$@" 8>&- 9<&-; else "$@"; fi
}

# Sets `parent` to the parent of a process, and `terminal` to the number of its terminal, 0 if it has none
# (proc_pid_stat(5)).
about() {
    parent='' terminal=''
    { read -r about <"/proc/$1/stat"; } 2>/dev/null || return
    # Its name may hold blanks and parentheses.
    # shellcheck disable=SC2086 # one word for each field
    set -- ${about##*) }
    parent=$2 terminal=$5
}

# Whether a process is a child of this one: nobody else can have its number until this shell has waited for it.
is_child() {
    [ -n "$1" ] && about "$1" && [ "$parent" = $$ ]
}

# Kills a child with all of its process group.
kill_group() {
    # One that has only just been started has no group of its own yet.
    if is_child "$1"; then kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null; fi
}

# Asks the process that started this one to end the fleet, if it still is there.
end_fleet() {
    about $$
    if [ "$parent" = "$1" ]; then kill -TERM "$1" 2>/dev/null; fi
}

# Sets `mounted` to what is mounted at HOME or below it: nothing, `at` (HOME itself or the root), or `below`; fails if
# that cannot be known. In mountinfo blanks, tabs, newlines and backslashes are octal (proc_pid_mountinfo(5)).
find_mounts() {
    case $home in *'
'*) return 1 ;; esac
    escaped=$(printf '%s' "$home" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g') && [ -n "$escaped" ] || return
    known='' mounted=''
    look_at_mounts "/proc/$$/mountinfo"
    [ -n "$known" ] || return
    # In a mount namespace of our own, others' mounts are not to be seen.
    [ -z "$own_mounts" ] || look_at_mounts /proc/1/mountinfo
}
look_at_mounts() {
    while read -r _ _ _ _ point _; do
        known=yes
        case $point in
        "$escaped" | "$escaped/root") mounted=at ;;
        "$escaped"/*) mounted=${mounted:-below} ;;
        esac
    done <"$1"
}

# Kills every process whose root directory is the fleet's, those in groups of their own, too. Somebody who looks around
# in it from a terminal is none of ours: fails if such a one is there, or one that does not end within two seconds.
kill_inside() {
    # What has been put in the place of our root would make others' processes look like ours.
    find_mounts && [ "$mounted" != at ] && [ -d root ] && [ ! -L root ] && [ ! root -ef / ] || return
    rounds=0
    while [ "$rounds" -lt 100 ]; do
        found='' others=''
        for process in /proc/[0-9]*; do
            [ "$process/root" -ef root ] || continue
            about "${process#/proc/}"
            case $terminal in
            '') ;;
            0)
                found=yes
                kill -KILL "${process#/proc/}" 2>/dev/null
                ;;
            *) others=yes ;;
            esac
        done
        [ -n "$found" ] || break
        rounds=$((rounds + 1))
        sleep 0.02
    done
    [ -z "$found$others" ]
}

# Removes HOME if it is ours, as its mark says (src/owned.rs), and nobody is in it. What is left is removed by the next
# run of pfs, by the same rules.
remove_home() {
    kill_inside || return
    inode=$(stat -c %i .) && read -r mark <pfs-mark && [ "$mark" = "pfs fleet $inode" ] || return
    # In a mount namespace of our own, what images/mounts.sh mounted is ours to take away. Blanks are octal there, which
    # printf understands.
    if [ -n "$own_mounts" ]; then
        cut -d ' ' -f 5 "/proc/$$/mountinfo" | sort -r | while read -r point; do
            case $point in "$escaped"/*) umount -l "$(printf '%b' "$point")" ;; esac
        done
    fi
    find_mounts && [ -z "$mounted" ] || return
    # Names in this very directory, wherever HOME leads by now; what is not empty, rmdir leaves.
    rm -rf --one-file-system root running supervise holder && rm -f pfs-mark && rmdir -- "$home"
}

case $4 in
watch)
    unused=0 known=$(inside stat -c %y "$lease")
    while [ "$unused" -lt 4 ]; do
        sleep "$poll"
        about $$
        [ "$parent" = "$5" ] || exit
        last=$(inside stat -c %y "$lease")
        if [ "$last" = "$known" ] && inside flock -n -x "$lease" true; then
            unused=$((unused + 1))
        else
            unused=0 known=$last
        fi
    done
    echo "pfs: nobody uses this fleet any more: it ends"
    end_fleet "$5"
    exit
    ;;
names)
    # What asks the name servers to end is for them; this waits until they have.
    trap : TERM
    inside /bin/sh /etc/postfix/pfs/dns/start
    # Without its name servers a fleet would say of Postfix what is not so. One that does not start is nobody's yet.
    [ $? != 3 ] || end_fleet "$5"
    exit
    ;;
orphaned)
    # Run by the guard once this fleet's supervisor has ended without it.
    echo "pfs: the supervisor of this fleet has been killed: it ends"
    remove_home
    exit
    ;;
esac

if [ -n "$home" ]; then
    # Whoever removes this directory holds its mark alone.
    exec 9<"$home/pfs-mark" 8>"$home/running" || exit
    if ! flock -n -s 9 || ! flock -n -x 8; then
        echo "pfs: this fleet's directory is being removed"
        exit 1
    fi
fi

# Exim asks for this user's number before it does anything; its package would have made the user.
add_user() {
    # shellcheck disable=SC2016 # for the shell inside
    set -- /bin/sh -c '[ -x /opt/exim/usr/sbin/exim4 ] || exit 0
        grep -q "^Debian-exim:" /etc/passwd && exit
        echo "Debian-exim:x:65534:65534::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
        echo "Debian-exim:x:65534:" >>/etc/group'
    inside "$@"
}
if [ -x "$root/opt/exim/usr/sbin/exim4" ]; then add_user; fi

# In sessions of their own, so that each can be ended as a group; without the locks that say that this process lives.
in_session() {
    exec 8>&- 9<&-
    exec setsid "$@"
}
part() {
    in_session /bin/sh "$0" "$home" "$daemons" "$poll" "$@"
}

# The name servers of a fleet that has zones (images/dns.sh); those of before have let go of their ports first.
dns=
serve_names() {
    if is_child "$dns"; then
        kill -TERM "-$dns" 2>/dev/null
        wait "$dns"
    fi
    dns=
    inside test -f /etc/postfix/pfs/dns/start || return
    part names $$ &
    dns=$!
}
# What the package does before it starts master(8), where it is wanted (images/as-packaged.sh).
if inside test -f /etc/postfix/pfs/as-packaged; then
    inside /bin/sh /etc/postfix/pfs/as-packaged 2>&1 || echo "pfs: what the package does before its start ended with status $?"
fi

guard=
if [ -n "$home" ]; then
    # Told, as this script is, in what mount namespace it is.
    (PFS_OWN_MOUNTS=$own_mounts && export PFS_OWN_MOUNTS && in_session flock -s "$home/running" /bin/sh "$0" "$home" "$daemons" "$poll" orphaned) &
    guard=$!
fi
serve_names
if [ -n "$root" ]; then
    (in_session chroot "$root" "$daemons/master" -d) &
else
    (in_session "$daemons/master" -d) &
fi
master=$!
watcher=
if [ "$poll" != forever ]; then
    (part watch $$) &
    watcher=$!
fi

ended=
trap 'ended=asked; kill_group "$master"' TERM INT HUP
# New files are in place: zones are signed and served anew; master reads the rest, and its children go when they are
# done.
trap 'again=yes; serve_names; if is_child "$master"; then kill -HUP "$master"; fi' USR1
# A wait ends with master, or with a trap.
while :; do
    again=
    wait "$master"
    status=$?
    [ -n "$again" ] && [ -z "$ended" ] || break
done
trap '' TERM INT HUP USR1
if [ -z "$ended" ]; then
    # master(8) is silent about a main.cf it cannot use.
    inside postfix check 2>&1
    echo "pfs: master ended with status $status"
fi
kill_group "$master"
kill_group "$dns"
kill_group "$watcher"
# From here on this process does what the guard is for.
kill_group "$guard"

if [ -n "$home" ]; then
    # A lease that is still held would say that the fleet runs.
    remove_home
elif [ -z "$ended" ]; then
    # Time for the harness to read why, before the container removes itself.
    sleep 2
fi
