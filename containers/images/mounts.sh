# Run by sh -c, in a mount namespace of its own, which nobody else looks into:
#
#   mounts ROOT COUNT DIRECTORY… COMMAND…
#
# Shows COUNT directories of this machine read-only in a root, and its device nodes where the root has none; then runs
# the command.
root=$1 count=$2
shift 2
while [ "$count" -gt 0 ]; do
    mount --bind "$1" "$root$1" || exit
    # In a user namespace a mount keeps what it was locked with, and what is not ours cannot be written anyhow.
    mount -o remount,ro,bind "$root$1" 2>/dev/null || [ ! -w "$1" ] || {
        echo "pfs: $1 cannot be made read-only in $root" >&2
        exit 1
    }
    count=$((count - 1))
    shift
done
for node in null zero full random urandom tty; do
    [ -c "$root/dev/$node" ] || [ ! -f "$root/dev/$node" ] || mount --bind "/dev/$node" "$root/dev/$node" || exit
done
[ -z "$PFS_PROC" ] || [ ! -d "$root/proc" ] || mount -t proc proc "$root/proc" 2>/dev/null
unset PFS_PROC
export PFS_OWN_MOUNTS=yes
exec "$@"
