#!/bin/sh
# Runs a command inside the private root, as an unprivileged user, with the stack's data folder in it.
#
#   enter_root.sh ROOT DATA UID HOW PIDFILE COMMAND...        (as root)
#
# HOW is `mount` (already in a mount namespace of its own: DATA and /dev are bound into ROOT, and go with the process)
# or `copy` (mounting is forbidden: DATA holds a hard-linked copy of ROOT, and the cluster lives inside that copy).
# PIDFILE receives the pid the command will have; `-` for none.
set -eu
root=$1 data=$2 uid=$3 how=$4 pidfile=$5
shift 5

case $how in
mount)
    chown "$uid:$uid" "$data"
    chmod 700 "$data"
    mount --bind "$data" "$root/var/lib/axion"
    mount --rbind /dev "$root/dev"
    ;;
copy)
    copy=$data/root
    made_from=$(cat "$copy/.made-from" 2>/dev/null || true)
    if [ -z "$made_from" ]; then
        rm -rf "$copy" "$copy.partial"
        cp -al "$root" "$copy.partial" 2>/dev/null || { rm -rf "$copy.partial" && cp -a "$root" "$copy.partial"; }
        chown "$uid:$uid" "$copy.partial/var/lib/axion"
        chmod 700 "$copy.partial/var/lib/axion"
        echo "$root" > "$copy.partial/.made-from"
        mv "$copy.partial" "$copy"
    elif [ "$made_from" != "$root" ]; then
        echo "this stack's copy of the PostgreSQL root was made from another version: run 'axion stack reset'" >&2
        exit 1
    fi
    root=$copy
    ;;
esac

# A killed postmaster is a zombie until its parent collects it (a container's first process may never do so), and PostgreSQL
# takes a zombie for a running server. Its lock is removed once no process works in the cluster's folder any more.
cluster=$root/var/lib/axion/cluster
works_here() {
    here=$(stat -Lc %d:%i "$cluster")
    for process in /proc/[0-9]*; do
        [ "$(stat -Lc %d:%i "$process/cwd" 2>/dev/null || true)" != "$here" ] || return 0
    done
    return 1
}
holder=$(head -n 1 "$cluster/postmaster.pid" 2>/dev/null || true)
if [ -n "$holder" ] && grep -q '^State:[[:space:]]*Z' "/proc/$holder/status" 2>/dev/null; then
    tries=100
    while works_here; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "the killed server's processes do not end" >&2; exit 1; }
        sleep 0.1
    done
    rm "$cluster/postmaster.pid"
fi

[ "$pidfile" = - ] || echo $$ > "$pidfile"
exec chroot --userspec="$uid:$uid" "$root" "$@"
