#!/bin/sh
# sh benches/run.sh [tiles|repeat|ndvi|flood|start|lookup|zonal|vector|vector-repeat|intake|all|--smoke]: measures `sen` and its peers side by side on this machine.
# Lines of JSON are appended to target/bench/results.jsonl; what they say is in benches/README.md.
# --smoke: one small round of our side of each alone, a part of `make test`.
set -eu
cd "$(dirname "$0")/.."

export PYTHONDONTWRITEBYTECODE=1  # the work tree stays clean

what=${1:-all}
sen=${SEN:-target/release/sen}
case $sen in /*) ;; *) sen=$PWD/$sen ;; esac # the scripts run in folders of their own
case $what in
    tiles | repeat | ndvi | flood | start | lookup | zonal | vector | vector-repeat | intake) ;;
    --smoke) ;;
    all) what='ndvi flood tiles repeat start lookup zonal vector vector-repeat intake' ;;
    *) echo 'usage: sh benches/run.sh [tiles|repeat|ndvi|flood|start|lookup|zonal|vector|vector-repeat|intake|all|--smoke]' >&2; exit 2 ;;
esac
[ -x "$sen" ] || { echo "$sen is not built: make build" >&2; exit 1; }
export SEN="$sen"
python=/usr/bin/python3  # the one that python3-gdal is for
if [ "$what" = --smoke ]; then
    cargo build --workspace --examples --quiet # the tests have built them
    exec $python benches/smoke.py
fi
sh benches/setup.sh
cargo build --release --quiet -p sen-tiler --example static_body

for one in $what; do
    mode=
    case $one in
        zonal)
            cargo build --release --quiet -p sen-catalog --example zonal_bench
            peers=target/bench/venv/bin/python
            $peers -c 'import exactextract, geopandas, pyarrow' 2>/dev/null ||
                target/bench/venv/bin/pip install --quiet exactextract==0.3.0 geopandas pyogrio pyarrow
            script=zonal.py ;;
        start | lookup) script=catalogue.py mode=$one ;;
        tiles | repeat) script=tiles.py mode=$one ;;
        vector*) script=vector.py mode=$one ;;
        *) script=$one.py ;;
    esac
    $python benches/$script $mode
done
