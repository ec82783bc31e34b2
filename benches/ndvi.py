"""NDVI of a full scene: two band COGs in, one finished COG with overviews out, by `sen`, GDAL's tools and rasterio.

Runs take turns, so that a slow moment of the machine meets all of them; each run begins with the output gone.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import NIR, PEERS, RED, SEN, SMOKE, WEEK, WORK, data_folder, keep, settle

RUNS = 2 if SMOKE else 5
NODATA = -32768
COG = dict(COMPRESS="DEFLATE", PREDICTOR="YES", BLOCKSIZE="512", OVERVIEW_RESAMPLING="AVERAGE", NUM_THREADS="2")
FORMULA = (
    "numpy.where((A==0)|(B==0),-32768,"
    "numpy.rint(10000*(B.astype(numpy.float32)-A)/(B.astype(numpy.float32)+A))).astype(numpy.int16)"
)


def with_rasterio(folder):
    """Rows of blocks through numpy into a plain file, then GDAL's COG driver."""
    import numpy as np
    import rasterio
    import rasterio.shutil
    from rasterio.windows import Window

    plain, out = folder / "plain.tif", folder / "ndvi.tif"
    with rasterio.Env(GDAL_NUM_THREADS="2", GDAL_CACHEMAX=1024):
        with rasterio.open(RED) as reds, rasterio.open(NIR) as nirs:
            profile = dict(reds.profile, driver="GTiff", dtype="int16", nodata=NODATA, tiled=True, blockxsize=512, blockysize=512)
            for name in ("compress", "predictor", "interleave"):
                profile.pop(name, None)
            with rasterio.open(plain, "w", **profile) as file:
                for top in range(0, reds.height, 512):
                    window = Window(0, top, reds.width, min(512, reds.height - top))
                    red, nir = (band.read(1, window=window).astype("float32") for band in (reds, nirs))
                    with np.errstate(all="ignore"):
                        value = np.rint(10000 * (nir - red) / (nir + red))
                    file.write(np.where((red == 0) | (nir == 0), NODATA, value).astype("int16"), 1, window=window)
        rasterio.shutil.copy(plain, out, driver="COG", **COG)


def gdal_calc(folder):
    options = " ".join(f"-co {key}={value}" for key, value in COG.items())
    plain = "--co TILED=YES --co BLOCKXSIZE=512 --co BLOCKYSIZE=512"
    return ["sh", "-ec", f"""
        gdal_calc.py --quiet -A {RED} -B {NIR} --outfile={folder}/plain.tif --type=Int16 --NoDataValue={NODATA} --hideNoData {plain} --calc='{FORMULA}'
        gdal_translate -q -of COG {options} --config GDAL_NUM_THREADS 2 {folder}/plain.tif {folder}/ndvi.tif
    """]


def timed(command, env=None):
    """Wall and processor seconds and the largest process in MB."""
    started = time.perf_counter()
    log = os.open(WORK / "ndvi.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    child = os.posix_spawnp(command[0], command, env or os.environ, file_actions=actions)
    _, code, usage = os.wait4(child, 0)
    os.close(log)
    if code:
        raise SystemExit(f"{command[0]} failed; see {WORK / 'ndvi.log'}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def same(a, b):
    """Largest difference, cells that differ, and cells with a value in one only."""
    import numpy as np
    import rasterio
    from rasterio.windows import Window

    largest = differing = lone = 0
    with rasterio.open(a) as one, rasterio.open(b) as other:
        assert one.shape == other.shape and one.transform == other.transform, "the grids differ"
        for top in range(0, one.height, 1024):
            window = Window(0, top, one.width, min(1024, one.height - top))
            p, q = (file.read(1, window=window).astype(np.int32) for file in (one, other))
            both = (p != NODATA) & (q != NODATA)
            difference = np.abs(p - q)[both]
            largest, differing = max(largest, int(difference.max(initial=0))), differing + int((difference > 0).sum())
            lone += int(((p != NODATA) != (q != NODATA)).sum())
        return dict(largest_difference=largest, differing=differing, in_one_only=lone, overviews=len(one.overviews(1)))


def main():
    folder = WORK / "ndvi"
    folder.mkdir(exist_ok=True)
    week = WORK / f"ndvi_sen/assets/ndvi/2026/ndvi_{WEEK}"
    ways = {
        "sen": lambda: [SEN, "--data", str(data_folder("ndvi_sen")), "-q", "process", "--product", "ndvi"],
        "gdal_calc": lambda: gdal_calc(folder),
        "rasterio": lambda: [PEERS, __file__, "rasterio", str(folder)],
    }
    if SMOKE:
        ways = {"sen": ways["sen"]}
    taken = {name: [] for name in ways}
    for run in range(RUNS):
        for name, command in ways.items():
            for file in folder.iterdir():
                file.unlink()
            words = command()
            settle()
            result = timed(words)
            if run:  # the first of each only warms
                taken[name].append(result)
            if run == 1 and name != "sen":
                # in a process of its own: a child's largest size counts from its parent's
                ours, = week.glob("ndvi-*.tif")
                words = [PEERS, __file__, "same", str(ours), str(folder / "ndvi.tif")]
                out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
                keep(f"ndvi sen against {name}", **json.loads(out))
    for name, results in taken.items():
        wall, cpu, memory = zip(*results)
        keep(f"ndvi {name}", wall_s=statistics.median(wall), walls=[round(value, 3) for value in sorted(wall)],
             cpu_s=statistics.median(cpu), peak_mb=max(memory))


if __name__ == "__main__":
    if sys.argv[1:2] == ["rasterio"]:
        with_rasterio(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["same"]:
        print(json.dumps(same(*sys.argv[2:])))
    else:
        main()
