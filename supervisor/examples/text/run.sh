#!/bin/sh
# An index of the texts of this folder, by a worker and a client in Python. Usage: run.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
supervisor=${SUPERVISOR:-supervisor}
if ! python3 -c 'import mutirao'; then
    echo "this example needs Python 3.10 or newer and its package: pip install ./worker/python" >&2
    exit 1
fi
if [ $# -gt 0 ]; then
    work=$1
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
cp -r "$here/supervisor.toml" "$here/worker.py" "$here/texts" "$work"
cd "$work"

# It stops when this script ends, however that is. The client waits until it answers.
"$supervisor" run --die-with-parent=$$ 2>supervisor.log &
python3 "$here/index.py" texts || { tail -n 20 supervisor.log >&2; exit 1; }
kill $!
wait $!
