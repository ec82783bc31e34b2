"""200,000 plots of 0.2 to 2 ha in Dong Thap, as `sen import zones` and PostGIS read them. Deterministic, no library.

usage: python3 benches/plots.py FOLDER [COUNT]    writes plots.geojson and plots.tsv (for COPY)

A crooked lattice of 70 m x 110 m, turned by 17 degrees, of which whole compartments of 2.8 km are farmed: tiles are full or
empty, as in the delta. Neighbours share their edges point by point; an outline has 4 to 12 vertices.
"""

import hashlib
import json
import math
import sys
from pathlib import Path

WEST, SOUTH, EAST, NORTH = 105.2, 10.1, 106.0, 10.9
LON, LAT = 105.6, 10.5
METRES = math.pi / 180 * 6371008.8  # of a degree of latitude
PITCH = 70.0, 110.0
TURN = math.radians(17)
COMPARTMENT = 40, 25  # lattice cells
CROPS = ["lua", "xoai", "sen", "ca_tra", "nhan", "quyt", "sau_rieng", "ot", "bap", "khoai"]


def chance(*key):
    """Between 0 and 1, the same for the same key."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def lon_lat(x, y):
    """Lattice units to degrees."""
    x, y = x * PITCH[0], y * PITCH[1]
    east, north = x * math.cos(TURN) - y * math.sin(TURN), x * math.sin(TURN) + y * math.cos(TURN)
    return round(LON + east / METRES / math.cos(math.radians(LAT)), 8), round(LAT + north / METRES, 8)


def corner(i, j):
    return i + 0.5 * (chance(i, j, 1) - 0.5), j + 0.5 * (chance(i, j, 2) - 0.5)


def edge(i, j, across):
    """Points from a corner towards the next one to the east or north, without that one: one to three."""
    (ax, ay), (bx, by) = corner(i, j), corner(i + across, j + 1 - across)
    count = int(3 * chance(i, j, across, 3))
    points = [(ax, ay)]
    for k in range(1, count + 1):
        t = k / (count + 1)
        bow = 0.06 * (chance(i, j, across, k) - 0.5)
        points.append((ax + t * (bx - ax) + bow, ay + t * (by - ay) - bow))
    return points


def ring(i, j):
    south, east = edge(i, j, 1), edge(i + 1, j, 0)
    north = [corner(i + 1, j + 1), *reversed(edge(i, j + 1, 1)[1:])]
    west = [corner(i, j + 1), *reversed(edge(i, j, 0)[1:])]
    return [lon_lat(*point) for point in south + east + north + west]


def plots(count):
    """The first so many, compartment by compartment in a fixed disorder."""
    half = int(46000 / PITCH[0] / COMPARTMENT[0]) + 2
    blocks = [(chance(a, b, 4), a, b) for a in range(-half, half) for b in range(-half, half)]
    number = 0
    for _, a, b in sorted(blocks):
        for j in range(b * COMPARTMENT[1], (b + 1) * COMPARTMENT[1]):
            for i in range(a * COMPARTMENT[0], (a + 1) * COMPARTMENT[0]):
                lon, lat = lon_lat(i + 0.5, j + 0.5)
                if not (WEST < lon < EAST and SOUTH < lat < NORTH) or chance(i, j, 5) > 0.97:
                    continue
                if number == count:
                    return
                commune = abs(a * 7 + b * 13) % 102
                yield ring(i, j), {
                    "plot_id": f"DT-{commune:03d}-{number:07d}",
                    "area_code": f"VN-DTOR-{abs(a * 131 + b) % 4999:04d}",
                    "commune": f"X{commune:03d}",
                    "crop": CROPS[int(10 * chance(i, j, 6) ** 2)],
                    "season": "DX2026" if chance(i, j, 7) < 0.7 else "HT2026",
                    "area_ha": round(0.77 + 0.4 * (chance(i, j, 8) - 0.5), 4),
                    "status": int(4 * chance(i, j, 9)),
                    "yield_t_ha": round(4.5 + 3.5 * chance(i, j, 10), 2),
                }
                number += 1


def main():
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "plots.geojson", "w") as features, open(folder / "plots.tsv", "w") as rows:
        features.write('{"type":"FeatureCollection","features":[\n')
        for number, (outline, values) in enumerate(plots(count)):
            closed = [*outline, outline[0]]
            shape = {"type": "Polygon", "coordinates": [closed]}
            feature = {"type": "Feature", "properties": values, "geometry": shape}
            features.write((",\n" if number else "") + json.dumps(feature, separators=(",", ":")))
            text = ",".join(f"{lon} {lat}" for lon, lat in closed)
            rows.write("\t".join([str(number + 1), *map(str, values.values()), f"SRID=4326;POLYGON(({text}))"]) + "\n")
        features.write("\n]}\n")


if __name__ == "__main__":
    main()
