"""The catalogue behind the tiles: `start`, from the command to the first tile with a year of weeks, and memory at rest;
`lookup`, what finding a week costs among 10 and among 10,000 items.

The rows are copies of the one week's row under other weeks: they share its file.
"""

import datetime
import http.client
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

from bench import SEN, SMOKE, WORK, free_address, keep, load, serving, status, week

TILE = "/ndvi/13/6499/3858.png"
NOWHERE = "/ndvi/13/100/100.png"  # no raster lies there: the week is found, nothing is drawn
RUNS = 2 if SMOKE else 15
MANY = 100 if SMOKE else 10_000


def weeks(count):
    """`count` ISO weeks: the one that was made and those before it, from 1900 on, then those after it."""
    last = datetime.date.fromisocalendar(2026, 45, 1)
    before = min(count, 6500)
    dates = [last - datetime.timedelta(weeks=back) for back in range(before)]
    dates += [last + datetime.timedelta(weeks=ahead) for ahead in range(1, count - before + 1)]
    return ["{}-W{:02}".format(*date.isocalendar()[:2]) for date in dates]


def catalogue(name, count):
    """A data folder like the measured one with `count` weeks of ndvi."""
    source, _ = week()
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "assets").symlink_to(source / "assets")
    original = sqlite3.connect(source / "catalog.sqlite")
    store = sqlite3.connect(folder / "catalog.sqlite")
    original.backup(store)
    columns = [row[1] for row in store.execute("PRAGMA table_info(item)")]
    row = dict(zip(columns, store.execute("SELECT * FROM item WHERE collection = 'ndvi'").fetchone()))
    for other in weeks(count)[1:]:
        monday = datetime.date.fromisocalendar(int(other[:4]), int(other[6:]), 1)
        back = datetime.date.fromisocalendar(2026, 45, 1) - monday
        copy, body = dict(row, id=f"ndvi_{other}", week=other), json.loads(row["body"])
        body["id"] = copy["id"]
        for key in ("start", "end"):
            at = datetime.datetime.fromisoformat(body["interval"][key]) - back
            body["interval"][key] = at.isoformat().replace("+00:00", "Z")
            copy[f"{key}_time"] = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        copy["body"] = json.dumps(body)
        marks = ", ".join("?" * len(columns))
        store.execute(f"INSERT INTO item VALUES ({marks})", [copy[column] for column in columns])
    store.execute("UPDATE revision SET number = number + 1")
    store.commit()
    return folder


def start():
    folder = catalogue("year", 52)
    took = []
    for _ in range(RUNS):
        listen = free_address()
        process = subprocess.Popen([SEN, "--data", str(folder), "-q", "serve", "--listen", listen],
                                   stdout=subprocess.DEVNULL)
        begun = time.perf_counter()
        while True:
            connection = http.client.HTTPConnection(listen, timeout=10)
            try:
                connection.request("GET", TILE)
                code = connection.getresponse().status
                break
            except ConnectionRefusedError:
                assert process.poll() is None, "the service has ended"
                time.sleep(0.001)
        took.append(time.perf_counter() - begun)
        assert code == 200, code
        process.terminate()
        process.wait()
    keep("start to first tile", median_s=statistics.median(took), longest_s=max(took))
    with serving(folder, "idle") as server:
        time.sleep(3)
        before = server.memory_mib()
        status(server.base + TILE)
        time.sleep(1)
        keep("memory at rest", before_first_tile_mib=before, after_first_tile_mib=server.memory_mib())


def lookup():
    """Every request names another interval, so that no answer is remembered from the one before."""
    rng = random.Random(0)
    day = lambda: datetime.date(2026, 11, 2) + datetime.timedelta(days=rng.randrange(3650))
    for count in (10, MANY):
        folder = catalogue(f"items{count}", count)
        # the newest item up to some day: with the start open or not, all name the last of the weeks
        known = weeks(10)
        spans = []
        while len(spans) < 50_000:
            first = datetime.date.fromisocalendar(2026, int(rng.choice(known)[6:]), 1) - datetime.timedelta(days=rng.randrange(40000))
            spans.append(f"{NOWHERE}?datetime={first}/{day()}")
        with serving(folder, "lookup") as server:
            assert status(server.base + spans[0]) == 204
            keep(f"lookup, interval, {count} items", **load(server, spans, 4, 3))
            some = [f"{NOWHERE}?datetime={one}" for one in rng.sample(weeks(count), min(count, 10_000))]
            keep(f"lookup, week, {count} items", **load(server, some, 4, 3))
            keep(f"periods of {count} items", **load(server, ["/api/v1/periods/ndvi"], 4, 3))


if __name__ == "__main__":
    {"start": start, "lookup": lookup}[sys.argv[1]]()
