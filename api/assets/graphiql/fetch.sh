#!/usr/bin/env bash
# Fetches the parts of the GraphiQL page that the binary embeds, in these versions.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent graphiql@3.9.0 react@18.3.1 react-dom@18.3.1
for package in graphiql-3.9.0 react-18.3.1 react-dom-18.3.1; do
  mkdir "$package" && tar xzf "$package.tgz" -C "$package" --strip 1
done
cp graphiql-3.9.0/graphiql.min.js graphiql-3.9.0/graphiql.min.css "$here"
cp react-18.3.1/umd/react.production.min.js react-dom-18.3.1/umd/react-dom.production.min.js "$here"
cat graphiql-3.9.0/LICENSE react-18.3.1/LICENSE >"$here/LICENSES.txt"
