#!/bin/sh
# Takes GraphiQL and what it needs from npm into static/, with their licences. The versions here are the only place
# that names them; run it after changing one, and commit what it wrote.
set -eu
cd "$(dirname "$0")"

take() { # package version file-in-package file-here
    mkdir -p "$work/$1"
    if [ ! -d "$work/$1/package" ]; then
        tarball=$(cd "$work/$1" && npm pack --silent "$1@$2" 2> /dev/null)
        tar xzf "$work/$1/$tarball" -C "$work/$1"
        printf '%s %s (%s)\n' "$1" "$2" "$(sed -n 's/^ *"license": "\(.*\)",*$/\1/p' "$work/$1/package/package.json")" >> "$work/VERSIONS"
        cp "$work/$1/package/LICENSE"* "static/$1.LICENSE"
    fi
    sed '/^\/\/# sourceMappingURL=/d' "$work/$1/package/$3" > "static/$4"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p static
take react 18.3.1 umd/react.production.min.js react.js
take react-dom 18.3.1 umd/react-dom.production.min.js react-dom.js
take graphql-ws 5.16.2 umd/graphql-ws.min.js graphql-ws.js
take graphiql 3.9.0 graphiql.min.js graphiql.js
take graphiql 3.9.0 graphiql.min.css graphiql.css
mv "$work/VERSIONS" static/VERSIONS
