#!/bin/sh
# Licences of all dependencies, as cargo tells them: each must leave a choice among those accepted here.
set -eu
cd "$(dirname "$0")/.."
accepted='MIT|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|ISC|Zlib|0BSD|Unlicense|CC0-1\.0|BSL-1\.0|Unicode-3\.0|CDLA-Permissive-2\.0'
tree=$(cargo tree --workspace --edges normal,build,dev --target all --prefix none --no-dedupe --format '{l}|{p}')
refused=$(printf '%s\n' "$tree" | sort -u | grep . | awk -F'|' -v accepted="^($accepted)\$" '
  # every part that AND joins needs one accepted licence among those that OR (or, of old, a slash) offers
  {
    told = $1; gsub(/[()]/, "", told); gsub(/ WITH [A-Za-z0-9.-]+/, "", told); gsub(/\//, " OR ", told)
    count = split(told, parts, " AND "); good = (told != "")
    for (i = 1; i <= count; i++) {
      found = 0; choices = split(parts[i], choice, " OR ")
      for (j = 1; j <= choices; j++) if (choice[j] ~ accepted) found = 1
      if (!found) good = 0
    }
    if (!good) print $2 ": " ($1 == "" ? "tells no licence" : $1)
  }')
[ -z "$refused" ] || { printf 'licenses: not accepted:\n%s\n' "$refused" >&2; exit 1; }
