#!/bin/sh
# What the benchmarks need and the service does not: peers, a load generator, the scene. Instant when all is there.
set -eu
cd "$(dirname "$0")/.."

packages='cgi-mapserver nginx-light wrk gdal-bin python3-gdal python3-venv postgresql-15-postgis-3'
missing=''
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    as_root=''
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "run as root: apt-get install$missing" >&2; exit 1; }
        as_root=sudo
    fi
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi

mkdir -p target/bench
venv=target/bench/venv
if [ ! -x $venv/bin/uvicorn ]; then
    python3 -m venv $venv
    $venv/bin/pip install --quiet titiler.application uvicorn rasterio numpy
fi
# the generator decides the bytes: another generator, another scene
sum=$(sha256sum benches/scene.py | cut -c1-16)
if [ "$(cat target/bench/scene/made-by 2>/dev/null)" != "$sum" ]; then
    rm -rf target/bench/scene target/bench/data
    /usr/bin/python3 benches/scene.py target/bench/scene
    echo "$sum" > target/bench/scene/made-by
fi
