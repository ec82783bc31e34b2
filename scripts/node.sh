#!/bin/sh
# Runs a command with the Node that `make setup` chose: the system's own, or the one in .node.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -x "$root/.node/bin/node" ]; then PATH="$root/.node/bin:$PATH"; export PATH; fi
exec "$@"
