#!/bin/sh
# The page in a real browser: starts the binary on the demo province at a free port, runs web/e2e, stops it.
set -eu
cd "$(dirname "$0")/.."
sen=$1
# the distribution's Chromium; a snap (Ubuntu) cannot be driven from outside, and where there is none the npm package holds one
CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
case $CHROMIUM in /snap/*) CHROMIUM= ;; esac
export CHROMIUM
log=$(mktemp)
"$sen" --data demo/data serve --listen 127.0.0.1:0 > "$log" &
server=$!
trap 'kill $server 2>/dev/null; rm -f "$log"' EXIT INT TERM
for _ in $(seq 100); do grep -q 'map at' "$log" && break; sleep 0.1; done
base=$(sed -n 's/^sen: map at \(.*\)\/$/\1/p' "$log")
[ -n "$base" ] || { echo 'e2e: the service did not start'; exit 1; }
sh scripts/node.sh node web/e2e/run.mjs "$base"
