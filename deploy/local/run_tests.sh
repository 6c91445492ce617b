#!/bin/sh
# The whole suite against fresh stacks of its own: WORKERS of them side by side, each with a part of the folders.
# pytest speaks last and its exit code is the result.
set -eu
cd "$(dirname "$0")/../.."
axion=.venv/bin/axion
names=test
number=2
while [ "$number" -le "${WORKERS:-1}" ]; do
    names="$names test-$number"
    number=$((number + 1))
done
down() {
    mkdir -p .axion
    for name in $names; do
        "$axion" stack down --name "$name" > ".axion/$name-down.log" 2>&1 || cat ".axion/$name-down.log" >&2
    done
}

for name in $names; do
    "$axion" stack reset --name "$name"
done
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
files=
for name in $names; do
    "$axion" stack up --name "$name"
    AXION_ENV_FILE="$PWD/.axion/$name/env" "$axion" migrate all
    files="$files${files:+:}$PWD/.axion/$name/env"
done
export AXION_ENV_FILE="${files%%:*}"
if [ "$names" != test ]; then
    export AXION_TEST_ENV_FILES="$files"
    set -- -n "${WORKERS}" "$@"
fi

code=0
.venv/bin/python -m pytest "$@" || code=$?
exit "$code"
