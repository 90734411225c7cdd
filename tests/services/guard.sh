# Runs a server until it ends or standard input is closed, which happens when the parent process ends for whatever
# reason: a server must never outlive its tests.
#
# $1: the server's folder, removed when the parent has ended; $2: a cleanup command, or nothing; the rest is the
# server's command.
folder=$1 cleanup=$2
shift 2
exec 3<&0
"$@" </dev/null >>"$folder/log" 2>&1 3<&- &
server=$!
(
    read -r _ <&3
    : >"$folder/over"
    kill -9 "$server"
) 2>/dev/null &
watch=$!
wait "$server" 2>/dev/null
if [ -e "$folder/over" ]; then
    [ -z "$cleanup" ] || sh -c "$cleanup" </dev/null >/dev/null 2>&1
    rm -rf "$folder"
else
    # It ended by itself. Its folder is kept, so that the log can be read.
    kill "$watch" 2>/dev/null
fi
