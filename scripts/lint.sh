#!/bin/sh
# Rules no compiler checks: one SQLite and one TLS provider in the process, no registry hosts, living links in docs,
# licences that are accepted.
set -eu
cd "$(dirname "$0")/.."
status=0
complain() { echo "lint: $1" >&2; status=1; }

if cargo tree -e features -i libsqlite3-sys 2>/dev/null | grep -q bundled; then
  complain 'a dependency turns on libsqlite3-sys/bundled; two copies of SQLite beside GDAL crash the process'
fi
if cargo tree -i aws-lc-sys 2>/dev/null | grep -q .; then
  complain 'a dependency brings aws-lc; ring is the one TLS provider'
fi
if grep -nE '"resolved": *"http' web/package-lock.json >/dev/null; then
  complain 'web/package-lock.json holds download addresses; install with omit-lockfile-registry-resolved'
fi
for page in README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs/*.md fixtures/README.md benches/README.md; do
  [ -f "$page" ] || continue
  folder=$(dirname "$page")
  for link in $(grep -oE '\]\([^)#: ]+[)#]' "$page" | sed -E 's/^\]\(//; s/[)#]$//'); do
    [ -e "$folder/$link" ] || complain "$page links to $link, which is not there"
  done
done
sh scripts/licenses.sh || status=1
exit $status
