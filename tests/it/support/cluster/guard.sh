# Cleans up after a cluster, whose folder is $1. In a process that is killed neither a destructor nor a signal handler
# runs, but the kernel closes its pipes: this waits for the end of its standard input.
trap '' INT TERM HUP QUIT
while read -r _; do :; done

data=$1/data
pid_file=$data/postmaster.pid

# A server that was killed left its number behind, which by now may be another's: it has to name the folder, too.
runs() {
    pid=
    { read -r pid <"$pid_file"; } 2>/dev/null
    [ -n "$pid" ] && grep -qsaF "$data" "/proc/$pid/cmdline"
}

if runs; then
    kill -CONT "$pid"
    kill -QUIT "$pid"
fi
tries=0
while runs && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done

# Again and again, as a server that was only just starting may still write there.
tries=0
while [ -e "$1" ] && [ $tries -lt 100 ]; do
    [ $tries -eq 0 ] || sleep 0.1
    tries=$((tries + 1))
    if runs; then kill -KILL "$pid"; fi
    # A killed server left a segment of shared memory in the kernel, which would stay there for ever.
    segment=$(sed -n '7s/.* //p' "$pid_file")
    [ -z "$segment" ] || ipcrm -m "$segment"
    rm -rf "$1"
done
