# Runs a cluster for a test, and ends it with the test program, however that ends: the kernel then closes the pipe on
# standard input. Arguments: the program, a directory, the command that brings up the cluster.
program=$1 dir=$2
shift 2
# A background job gets /dev/null for standard input, so the pipe needs another number.
exec 3<&0 </dev/null
"$@" 3<&- &
up=$!
exec >/dev/null
# `keep` means that the directory is still needed.
read -r word <&3
kill -TERM "$up" 2>/dev/null
wait "$up"
# If it runs in the background, or was started again.
"$program" --quiet --data-dir "$dir/data" down
[ "$word" = keep ] || rm -rf "$dir"
