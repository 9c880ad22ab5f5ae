#!/bin/sh
# Compiles govuk.scss into ../static/govuk.css. Needs node and npm at build time only; the result is committed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --save-exact govuk-frontend@6.3.0 sass@1.108.2
css=$work/govuk.css
"$work/node_modules/.bin/sass" --load-path="$work/node_modules" --style=compressed --no-source-map --no-charset \
    --quiet-deps "$here/govuk.scss" "$css"
for forbidden in "GDS Transport" crest crown 1d70b8; do
    if grep -qi "$forbidden" "$css"; then
        echo "build.sh: the compiled CSS mentions '$forbidden'; it must not" >&2
        exit 1
    fi
done
mv "$css" "$here/../static/govuk.css"
