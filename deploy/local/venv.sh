#!/bin/sh
# Makes .venv with just enough to show progress (rich); deploy.local.prepare does the rest. Repeating it is free.
set -eu
cd "$(dirname "$0")/../.."

good() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if good .venv/bin/python && .venv/bin/python -c 'import rich' 2>/dev/null; then
    exit 0
fi

python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if good "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: Python 3.11 or newer is needed (found: $(python3 --version 2>&1 || true))." >&2
    echo "Debian 12: apt-get install python3 python3-venv. Elsewhere: name one with 'make PYTHON=/path/to/python3.12 ...'." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "error: $python has no venv module. Debian: apt-get install python3-venv" >&2
    exit 1
fi

echo "making .venv with $("$python" --version)"
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check rich
