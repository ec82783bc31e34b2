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

from bench import EXAMPLES, PEERS, ROOT, SMOKE, WORK, keep, week

PLOTS = WORK / "plots_utm.gpkg"
OUT = WORK / "zonal.arrow"
BENCH = EXAMPLES / "zonal_bench"
ROUNDS = 1 if SMOKE else int(os.environ.get("ROUNDS", "3"))
COUNT = ["2000"] if SMOKE else []  # plots; all unless said
ASKED = ["100"] if SMOKE else []  # series; as many as the program likes
STATISTICS = ["mean", "count", "stdev", "min", "max"]


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

    def extract(part):
        frame = exact_extract(source, part, STATISTICS, strategy="feature-sequential", output="pandas", max_cells_in_memory=130_000_000)
        return frame[STATISTICS].to_numpy()

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


def table():
    """The statistics of each plot as `sen` keeps them; NaN where a plot has none."""
    out = subprocess.run([str(BENCH), "show", str(OUT)], check=True, capture_output=True, text=True).stdout
    return [[float(number) for number in line.split(",")] for line in out.splitlines()]


def differences(saved):
    """Largest difference of each statistic, relative to the larger of the value and one."""
    import numpy

    ours, theirs = numpy.array(table()), numpy.load(saved).astype(float)
    result = {}
    for column, name in enumerate(STATISTICS):
        own, other = ours[:, column], theirs[:, column]
        result[f"none_{name}"] = int((numpy.isnan(own) != numpy.isnan(other)).sum())
        both = ~numpy.isnan(own) & ~numpy.isnan(other)
        off = numpy.abs(own[both] - other[both]) / numpy.maximum(1, numpy.abs(other[both]))
        result[name] = f"{off.max():.1e}"
    return result


def layer():
    """The plots in the raster's system, once."""
    if not (WORK / "plots.geojson").exists():
        subprocess.run([sys.executable, str(ROOT / "benches/plots.py"), str(WORK), *COUNT], check=True)
    command = ["ogr2ogr", "-f", "GPKG", "-t_srs", "EPSG:32648", "-select", "plot_id", "-nln", "plots"]
    subprocess.run([*command, str(PLOTS), str(WORK / "plots.geojson")], check=True)


def main(raster):
    if not PLOTS.exists():
        layer()
    runs = {name: [] for name in ("sen_few", "sen_all", "exactextract_1", "exactextract_2") if not SMOKE or name.startswith("sen")}
    peaks = {name: [] for name in runs}
    last, saved = {}, WORK / "exactextract.npy"
    for _ in range(ROUNDS):
        for name in runs:
            if name.startswith("sen"):
                command = [str(BENCH), raster, str(PLOTS), str(OUT)] + (["few"] if name == "sen_few" else [])
            else:
                command = [PEERS, __file__, raster, name[-1], str(saved)]
            last[name], _, peak = timed(command)
            runs[name].append(last[name]["done_s"])
            peaks[name].append(peak)
    for name, seconds in runs.items():
        best = min(seconds)
        keep("zonal", program=name, best_s=best, median_s=statistics.median(seconds), peak_mib=max(peaks[name]), **{k: v for k, v in last[name].items() if k != "done_s"})
    if SMOKE:
        keep("zonal_table", zones=len(table()), with_mean=sum(row[0] == row[0] for row in table()))
    else:
        out = subprocess.run([PEERS, __file__, "same", str(saved)], check=True, capture_output=True, text=True).stdout
        keep("zonal_same", **json.loads(out))
    keep("zonal_series", **timed([str(BENCH), "series", str(OUT), str(WORK / "weeks"), *ASKED])[0])


if __name__ == "__main__":
    if len(sys.argv) == 4:
        peer(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["same"]:
        print(json.dumps(differences(sys.argv[2])))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else str(week()[1]))
