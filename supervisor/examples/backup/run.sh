#!/bin/sh
# A backup under a name, one by a kind, and one that fails. Usage: run.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
supervisor=${SUPERVISOR:-supervisor}
if [ $# -gt 0 ]; then
    work=$1
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work/documents/letters"
cp "$here/supervisor.toml" "$work"
cd "$work"
echo "dear neighbours" >documents/letters/harvest.txt
echo "a barn" >documents/plan.txt

fail() {
    echo "$1" >&2
    tail -n 20 supervisor.log >&2
    exit 1
}

rm -f ready.json
# It stops when this script ends, however that is.
"$supervisor" run --die-with-parent=$$ --ready-file ready.json 2>supervisor.log &
until [ -e ready.json ]; do
    kill -0 $! 2>/dev/null || fail "the supervisor did not start"
    sleep 0.1
done

id=$("$supervisor" add -o id --name nightly -- tar -czf nightly.tar.gz -C documents .)
again=$("$supervisor" add -o id --name nightly -- tar -czf nightly.tar.gz -C documents .)
[ "$id" = "$again" ] || fail "the same name gave the tasks $id and $again"
"$supervisor" wait "$id"
"$supervisor" enqueue backup folder=documents archive=letters.tar.gz --wait

for archive in nightly.tar.gz letters.tar.gz; do
    tar -tzf "$archive" | grep -q '^./letters/harvest.txt$' || fail "$archive does not have the letters"
done

gone=$("$supervisor" enqueue -o id backup folder=gone archive=gone.tar.gz)
code=0
"$supervisor" wait "$gone" || code=$?
[ "$code" -eq 20 ] || fail "a failed task ends wait with 20, not with $code"
echo "What the last run of task $gone printed:"
"$supervisor" logs "$gone" | tee gone.log
grep -q 'gone: Cannot open: No such file or directory' gone.log || fail "the log does not say why"
echo "All that is known of it:"
"$supervisor" show "$gone"

kill $!
wait $! || fail "the supervisor did not end well"
echo "two backups, each with the letters"
