#!/usr/bin/env bash
# Fetches the parts of the page that come from elsewhere, in these versions.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent htmx.org@2.0.11 @fontsource-variable/inter@5.3.0 @fontsource-variable/roboto-mono@5.3.0
for package in htmx.org-2.0.11 fontsource-variable-inter-5.3.0 fontsource-variable-roboto-mono-5.3.0; do
  mkdir "$package" && tar xzf "$package.tgz" -C "$package" --strip 1
done
cp htmx.org-2.0.11/dist/htmx.min.js "$here/static"
cp fontsource-variable-inter-5.3.0/files/inter-{vietnamese,latin}-wght-normal.woff2 "$here/static"
cp fontsource-variable-roboto-mono-5.3.0/files/roboto-mono-{vietnamese,latin}-wght-normal.woff2 "$here/static"
{
  echo "htmx 2.0.11 (https://htmx.org):"
  echo
  cat htmx.org-2.0.11/LICENSE
  echo
  echo "Inter (fontsource-variable/inter 5.3.0):"
  echo
  cat fontsource-variable-inter-5.3.0/LICENSE
  echo
  echo "Roboto Mono (fontsource-variable/roboto-mono 5.3.0):"
  echo
  cat fontsource-variable-roboto-mono-5.3.0/LICENSE
} >"$here/LICENSES.txt"
