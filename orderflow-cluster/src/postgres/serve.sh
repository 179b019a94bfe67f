# Runs a server that ends when whoever started it does, however that ends: the pipe on stdin is then closed by the
# kernel. Prints the server's process id. The first argument is a directory to remove at the end, or empty.

# A background job gets /dev/null for stdin, so the pipe needs another number.
exec 3<&0 </dev/null
remove=$1
shift

"$@" 3<&- >&2 &
server=$!
echo "$server"
exec >&2

# Nothing is ever written into the pipe: read returns when it is closed. It is a builtin, so no process stays behind.
(
    read -r _ <&3
    kill -INT "$server"
) &
watcher=$!
exec 3<&-

wait "$server"
status=$?
kill "$watcher" 2>/dev/null
[ -z "$remove" ] || rm -rf "$remove"
exit "$status"
