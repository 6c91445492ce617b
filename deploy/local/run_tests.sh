#!/bin/sh
# The whole suite against a fresh stack of its own. pytest speaks last and its exit code is the result.
set -eu
cd "$(dirname "$0")/../.."
axion=.venv/bin/axion
state=$PWD/.axion/test
down() {
    mkdir -p .axion
    "$axion" stack down --name test > .axion/test-down.log 2>&1 || cat .axion/test-down.log >&2
}

"$axion" stack reset --name test
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$axion" stack up --name test
export AXION_ENV_FILE="$state/env"
"$axion" migrate all

code=0
.venv/bin/python -m pytest "$@" || code=$?
exit "$code"
