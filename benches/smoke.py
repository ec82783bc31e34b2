"""One small round of what the benchmarks measure of `sen`, without peers: fails where a script fails or a figure is missing.

usage: SEN=target/release/sen python3 benches/smoke.py [SCRIPT...]. It takes a scene of the same ground in cells of 100 m, 2,000 plots, a second of
load. The figures tell that a script still measures; how fast `sen` is they do not.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import time

os.environ["SMOKE"] = "1"  # read by what is imported here and started below

from bench import ROOT, WORK

CELLS = "1098"
ZOOMS = range(9, 16)

# the command of each script, and the figures it is there for
ROUNDS = {
    "ndvi": (["ndvi.py"], ["ndvi sen"]),
    "flood": (["flood.py"], ["flood first", "flood second"]),
    "tiles": (["tiles.py", "tiles"], [f"{what}, {mb} MB of blocks" for mb in (0, 128, 512) for what in ("tiles sen", "memory after tiles")]),
    "repeat": (["tiles.py", "repeat"], ["repeat sen", "repeat static body"]),
    "start": (["catalogue.py", "start"], ["start to first tile", "memory at rest"]),
    "lookup": (["catalogue.py", "lookup"], [f"{what} {count} items" for count in (10, 100) for what in ("lookup, interval,", "lookup, week,", "periods of")]),
    "zonal": (["zonal.py"], ["zonal", "zonal_table", "zonal_series"]),
    "vector": (["vector.py", "vector"], ["vector import", "vector sen, layer read", "vector sen, sizes", "vector sen, mix", "vector sen, memory"]
               + [f"vector sen, z{zoom}" for zoom in ZOOMS]),
    "vector-repeat": (["vector.py", "vector-repeat"], ["vector-repeat sen"]),
    "intake": (["intake.py"], ["intake import", "intake mqtt"]),
    "load": (["load.py", "--seconds", "2", "--calm", "1", "--after", "0.5", "--connections", "16"],
             ["tiles", "values", "pictures", "lists", "statistics", "sensorthings", "writes"]),
}


def figures(out):
    """The lines of JSON of a script, by what they tell."""
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return [(line.get("what") or line["class"], line) for line in lines]


def faults(found):
    """What is wrong with a line: a number that is none, a load without answers or with errors."""
    for name, value in found.items():
        if name == "refusal_p99_ms":
            continue  # so little load need not be refused
        none = value is None or (isinstance(value, float) and not math.isfinite(value))
        empty = name in ("rate", "zones", "with_mean", "admitted") and value == 0
        failed = (name == "errors" or name.endswith("failed")) and value != 0
        if none or empty or failed:
            yield f"{name} is {value}"


def complaints(command, wanted):
    """Runs a script; what is missing or wrong in what it prints."""
    ran = subprocess.run([sys.executable, *command], cwd=ROOT / "benches", text=True, capture_output=True)
    if ran.returncode:
        return [f"ended with {ran.returncode}: {ran.stderr.strip()[-2000:] or ran.stdout.strip()[-500:]}"]
    found = figures(ran.stdout + ran.stderr)
    missing = [f"no figure `{name}`" for name in wanted if name not in [what for what, _ in found]]
    return missing + [f"{what}: {fault}" for what, line in found for fault in faults(line)]


def main(chosen):
    shutil.rmtree(WORK, ignore_errors=True)  # what another build made is no input
    WORK.mkdir(parents=True)
    subprocess.run([sys.executable, str(ROOT / "benches/scene.py"), str(WORK / "scene"), CELLS], check=True)
    failed = False
    for name in chosen or ROUNDS:
        began = time.monotonic()
        bad = complaints(*ROUNDS[name])
        print(f"{'FAIL' if bad else 'ok  '}  {name} ({time.monotonic() - began:.1f} s)", *bad, sep="\n      ", flush=True)
        failed |= bool(bad)
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
