"""A made-up full Sentinel-2 tile, the same bytes each run: red and near infrared of a delta as uint16 DEFLATE COGs.

usage: scene.py FOLDER [CELLS]. 10,980 x 10,980 cells of 10 m, EPSG:32648, upper left corner 510000 E 1215000 N; 0 is no data.
Fewer CELLS to a side are larger ones: the same ground.
Plots of 70 m x 110 m in compartments of one crop calendar, a river, canals, clouds and the slanting edge of a swath, with
texture and sensor noise chosen so that the files are about as hard to compress as real scenes (some 10.6 bits a pixel).
"""

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

gdal.UseExceptions()
SIZE = int(sys.argv[2]) if len(sys.argv) > 2 else 10980
CELL, WEST, NORTH, STRIP = 109800 / SIZE, 510000.0, 1215000.0, 610
TENS = 10980 / SIZE  # tens of metres of a cell
TILT = np.deg2rad(17.0)


def raw(stream, index, count):
    """Raw bits of a counter-based generator: the one thing numpy promises never to change."""
    return np.random.Philox(key=[stream, index]).random_raw(count)


def uniform(stream, shape):
    return (raw(stream, 0, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32).reshape(shape) / np.float32(1 << 24)


def normal(stream, strip, shape):
    """Sums of four 16-bit numbers: near enough to normal, deviation 1."""
    parts = raw(stream, strip, shape[0] * shape[1]).view(np.uint16).reshape(*shape, 4)
    return (parts.sum(axis=2, dtype=np.uint32).astype(np.float32) / 65536 - 2) * np.float32(1.7320508)


def smooth(stream, rows, cells):
    """Noise that varies over `cells` cells of 10 m, between 0 and 1."""
    cells = cells / TENS
    count = int(SIZE // cells) + 2
    knots = uniform(stream, (count, count))
    y, x = rows / cells, np.arange(SIZE) / cells
    top, left = y.astype(int), x.astype(int)
    fy, fx = (y - top).astype(np.float32)[:, None], (x - left).astype(np.float32)
    line = lambda row: knots[row][:, left] * (1 - fx) + knots[row][:, left + 1] * fx
    return line(top) * (1 - fy) + line(top + 1) * fy


def strip(index):
    rows = np.arange(index * STRIP, min((index + 1) * STRIP, SIZE))
    shape = (len(rows), SIZE)
    x = (np.arange(SIZE, dtype=np.float32) - SIZE / 2) * CELL
    y = (SIZE / 2 - rows.astype(np.float32))[:, None] * CELL
    along, across = x * np.cos(TILT) + y * np.sin(TILT), y * np.cos(TILT) - x * np.sin(TILT)
    table = [uniform(stream, (1 << 20,)) for stream in range(1, 6)]

    def cell(u, v):
        """A place in the tables for a cell of a lattice."""
        return ((u.astype(np.int64) * 73856093) ^ (v.astype(np.int64) * 19349663)) & ((1 << 20) - 1)

    row = np.floor(across / 110)
    shifted = along / 70 + 7 * table[0][cell(row, row)]
    plot = cell(np.floor(shifted), row)
    block = cell(np.floor(along / 2800), np.floor(across / 2800))
    kind, bright, stage = table[1][plot], 0.85 + 0.3 * table[2][plot], table[3][block]
    dike = (np.mod(along, 2800) < 45) | (np.mod(across, 2800) < 45)
    bund = (np.mod(shifted, 1) < 0.1) | (np.mod(across / 110, 1) < 0.07)
    middle = 14000 * np.sin(x / 31000) + 2500 * np.sin(x / 7000)
    water = (np.abs(y - middle) < 500) | dike | (kind > 0.93)

    index_value = np.where(kind < 0.6, 0.16 + 0.66 * stage, np.where(kind < 0.8, 0.72, 0.2)) + 0.1 * (table[4][plot] - 0.5)
    nir = np.where(kind < 0.6, 1500 + 2300 * stage, np.where(kind < 0.8, 3300, 2300)) * bright
    index_value, nir = np.where(bund, 0.6 * index_value + 0.12, index_value), np.where(bund, 0.9 * nir, nir)
    index_value, nir = np.where(water, -0.18 + 0.1 * table[4][plot], index_value), np.where(water, 420 * bright, nir)
    index_value = np.clip(index_value + 0.1 * (smooth(11, rows, 23) - 0.5), -0.5, 0.92)
    nir = nir * (1 + 0.1 * (smooth(12, rows, 16) - 0.5) + 0.012 * normal(21, index, shape))
    red = nir * (1 - index_value) / (1 + index_value)
    nothing = (np.arange(SIZE) + 0.35 * rows[:, None] < 900 / TENS) | (smooth(13, rows, 700) + 0.4 * smooth(14, rows, 130) > 1.0)
    bands = red + 15 * normal(22, index, shape), nir + 21 * normal(23, index, shape)
    return [np.where(nothing, 0, np.maximum(band, 1)).astype(np.uint16) for band in bands]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = ["B04", "B08"]
    system = osr.SpatialReference()
    system.ImportFromEPSG(32648)
    raws = [folder / f"{name}.raw.tif" for name in names]
    files = []
    for path in raws:
        file = gdal.GetDriverByName("GTiff").Create(str(path), SIZE, SIZE, 1, gdal.GDT_UInt16)
        file.SetGeoTransform((WEST, CELL, 0, NORTH, 0, -CELL))
        file.SetProjection(system.ExportToWkt())
        file.GetRasterBand(1).SetNoDataValue(0)
        files.append(file)
    with ProcessPoolExecutor(2) as pool:
        for index, bands in enumerate(pool.map(strip, range(-(-SIZE // STRIP)))):
            for file, band in zip(files, bands):
                file.GetRasterBand(1).WriteArray(band, 0, index * STRIP)
    files.clear()  # written when they are let go
    file = None
    for name, path in zip(names, raws):
        done = folder / f"T48PWS_20261104T032011_{name}.tif"
        part = folder / f"{name}.part.tif"
        options = "COMPRESS=DEFLATE PREDICTOR=YES BLOCKSIZE=512 OVERVIEW_RESAMPLING=AVERAGE NUM_THREADS=2".split()
        command = ["gdal_translate", "-q", "-of", "COG", *(word for option in options for word in ("-co", option))]
        subprocess.run([*command, path, part], check=True)
        path.unlink()
        part.rename(done)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
