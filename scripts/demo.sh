#!/bin/sh
# The demo province complete in demo/: what providers would deliver, its truth, and the data folder made from it.
# Instant when up to date: the stamp holds the binaries' checksums.
set -eu
cd "$(dirname "$0")/.."
sen=$1
fixtures=$2

want_source=$(sha256sum "$fixtures" | cut -d' ' -f1)
if [ "$(cat demo/source.stamp 2>/dev/null || true)" != "$want_source" ]; then
  rm -rf demo/source demo/truth demo/data demo/source.stamp demo/data.stamp
  mkdir -p demo
  "$fixtures" demo
  echo "$want_source" > demo/source.stamp
fi
want_data=$(sha256sum "$sen" | cut -d' ' -f1)
if [ "$(cat demo/data.stamp 2>/dev/null || true)" != "$want_data" ]; then
  mkdir -p demo/data
  "$sen" --data demo/data init >/dev/null
  "$sen" --data demo/data ingest demo/source --no-process
  zones=demo/source/zones
  for kind in admin_units dyke_compartments growing_areas forest_blocks; do
    "$sen" --data demo/data import zones "$zones/$kind.geojson" --as "$kind" --no-process
  done
  "$sen" --data demo/data import zones "$zones/aquaculture_sites.geojson" --as aquaculture_sites --scheme pangasius --no-process
  "$sen" --data demo/data import zones "$zones/plots.geojson" --as plots --parent commune_code --no-process
  "$sen" --data demo/data import layer "$zones/canals.geojson" --as canals
  "$sen" --data demo/data import layer demo/source/stations/stations.geojson --as stations
  "$sen" --data demo/data import observations demo/source/stations/*.csv
  "$sen" --data demo/data import hotspots demo/source/fire/*.csv
  # weeks, surfaces between the stations, fire danger, statistics of every zone, crop calendars
  "$sen" --data demo/data process
  echo "$want_data" > demo/data.stamp
fi
