#!/bin/sh
# sh benches/run.sh [tiles|repeat|ndvi|flood|start|lookup|zonal|vector|vector-repeat|all]: measures `sen` and its peers side by side on this machine.
# Lines of JSON are appended to target/bench/results.jsonl; what they say is in benches/README.md.
set -eu
cd "$(dirname "$0")/.."

export PYTHONDONTWRITEBYTECODE=1  # the work tree stays clean

what=${1:-all}
sen=${SEN:-target/release/sen}
case $what in
    tiles | repeat | ndvi | flood | start | lookup | zonal | vector | vector-repeat) ;;
    all) what='ndvi flood tiles repeat start lookup zonal vector vector-repeat' ;;
    *) echo 'usage: sh benches/run.sh [tiles|repeat|ndvi|flood|start|lookup|zonal|vector|vector-repeat|all]' >&2; exit 2 ;;
esac
[ -x "$sen" ] || { echo "$sen is not built: make build" >&2; exit 1; }
sh benches/setup.sh
cargo build --release --quiet -p sen-tiler --example static_body

for one in $what; do
    case $one in
        zonal)
            cargo build --release --quiet -p sen-catalog --example zonal_bench
            python=target/bench/venv/bin/python
            $python -c 'import exactextract, geopandas, pyarrow' 2>/dev/null ||
                target/bench/venv/bin/pip install --quiet exactextract==0.3.0 geopandas pyogrio pyarrow
            PYTHONPATH=benches $python -c 'import bench; bench.week()'
            $python benches/zonal.py
            continue ;;
        start | lookup) script=catalogue.py ;;
        repeat) script=tiles.py ;;
        vector*) script=vector.py ;;
        *) script=$one.py ;;
    esac
    SEN=$sen target/bench/venv/bin/python benches/$script "$one"
done
