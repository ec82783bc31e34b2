"""Zone statistics of 200,000 plots against one full-scene NDVI COG, beside exactextract, the runs taking turns.

usage: zonal.py [RASTER]. Each program reads the same GeoPackage and COG; reading both is part of the time. exactextract runs as
it is fastest: the raster read into memory by rasterio, one and two processes. What each finds is compared plot by plot.
"""

import json
import os
import pickle
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import ROOT, WORK, keep

PLOTS = WORK / "plots_utm.gpkg"
OUT = WORK / "zonal.arrow"
BENCH = ROOT / "target/release/examples/zonal_bench"
ROUNDS = int(os.environ.get("ROUNDS", "3"))


def timed(command):
    """What the program prints, its wall clock seconds and its peak memory in MiB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed")
    return json.loads(out.splitlines()[-1]), time.monotonic() - start, usage.ru_maxrss / 1024


def peer(raster, processes, save=None):
    """exactextract in this process: run by `timed` as a program of its own."""
    import geopandas
    import numpy
    import rasterio
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    start = time.monotonic()
    plots = geopandas.read_file(PLOTS, engine="pyogrio", columns=["plot_id"])
    with rasterio.open(raster) as source:
        values, bounds, wkt, nodata = source.read(1), source.bounds, source.crs.to_wkt(), source.nodata
    source = NumPyRasterSource(values, bounds.left, bounds.bottom, bounds.right, bounds.top, nodata=int(nodata), srs_wkt=wkt)
    names = ["mean", "count", "stdev", "min", "max"]

    def extract(part):
        frame = exact_extract(source, part, names, strategy="feature-sequential", output="pandas", max_cells_in_memory=130_000_000)
        return frame[names].to_numpy()

    if processes == 1:
        found = extract(plots)
    else:
        half, (read, write) = len(plots) // 2, os.pipe()
        if os.fork() == 0:
            os.close(read)
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(extract(plots.iloc[half:]), pipe)
            os._exit(0)
        os.close(write)
        first = extract(plots.iloc[:half])
        with os.fdopen(read, "rb") as pipe:
            found = numpy.concatenate([first, pickle.load(pipe)])
        os.wait()
    if save:
        numpy.save(save, found)
    print(json.dumps({"done_s": time.monotonic() - start, "zones": len(found)}))


def differences(saved):
    """Largest difference of each statistic, relative to the larger of the value and one."""
    import numpy
    import pyarrow

    table = pyarrow.ipc.open_file(OUT).read_all()
    theirs = numpy.load(saved).astype(float)
    result = {}
    for column, name in enumerate(["mean", "count", "stdev", "min", "max"]):
        own, other = table[name].to_numpy(), theirs[:, column]
        result[f"none_{name}"] = int((numpy.isnan(own) != numpy.isnan(other)).sum())
        both = ~numpy.isnan(own) & ~numpy.isnan(other)
        off = numpy.abs(own[both] - other[both]) / numpy.maximum(1, numpy.abs(other[both]))
        result[name] = f"{off.max():.1e}"
    return result


def layer():
    """The plots in the raster's system, once."""
    import geopandas

    if not (WORK / "plots.geojson").exists():
        subprocess.run([sys.executable, str(ROOT / "benches/plots.py"), str(WORK)], check=True)
    plots = geopandas.read_file(WORK / "plots.geojson", engine="pyogrio", columns=["plot_id"])
    plots.to_crs(32648).to_file(PLOTS, layer="plots", driver="GPKG", engine="pyogrio")


def main(raster):
    if not PLOTS.exists():
        layer()
    runs = {name: [] for name in ("sen_few", "sen_all", "exactextract_1", "exactextract_2")}
    peaks = {name: [] for name in runs}
    last, saved = {}, WORK / "exactextract.npy"
    for _ in range(ROUNDS):
        for name in runs:
            if name.startswith("sen"):
                command = [str(BENCH), raster, str(PLOTS), str(OUT)] + (["few"] if name == "sen_few" else [])
            else:
                command = [sys.executable, __file__, raster, name[-1], str(saved)]
            last[name], _, peak = timed(command)
            runs[name].append(last[name]["done_s"])
            peaks[name].append(peak)
    for name, seconds in runs.items():
        best = min(seconds)
        keep("zonal", program=name, best_s=best, median_s=statistics.median(seconds), peak_mib=max(peaks[name]), **{k: v for k, v in last[name].items() if k != "done_s"})
    keep("zonal_same", **differences(saved))
    keep("zonal_series", **timed([str(BENCH), "series", str(OUT), str(WORK / "weeks")])[0])


if __name__ == "__main__":
    if len(sys.argv) == 4:
        peer(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        default = WORK / "data/assets/ndvi/2026/ndvi_2026-W45/ndvi.tif"
        main(sys.argv[1] if len(sys.argv) > 1 else str(default))
