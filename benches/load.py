#!/usr/bin/env python3
"""Overload, class by class: SEN=target/release/sen python3 benches/load.py [--data demo/data] [--seconds 15] [--connections 500]

For each class of requests a fresh server on a copy of the data folder is asked by one client in calm, then by hundreds of connections at
once, while other processes ask beside them for /health, /ready, a tile that is kept and tiles that are not. Written as a table: how many were
admitted and refused, what those admitted took (Server-Timing: work and wait), the answers beside, the server's memory at its highest and ten
seconds later. Needs nothing but Python and the demo; asks 127.0.0.1 alone; everything it starts ends with it. Exit status 1 where a goal is missed
and --check is given."""

import argparse
import asyncio
import atexit
import json
import math
import multiprocessing
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a client gives up


class Server:
    """`sen serve` on a free port of this machine."""

    def __init__(self, sen, data):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = tempfile.TemporaryFile()
        command = [sen, "--data", str(data), "serve", "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        atexit.register(self.stop)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if urllib.request.urlopen(self.base + "/ready", timeout=5).status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        self.log.seek(0)
        raise SystemExit(f"{sen} does not serve {data}: {self.log.read()[-500:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def rss_mb(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024

    def json(self, path):
        with urllib.request.urlopen(self.base + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def cache_mb(self):
        """What the counters say that caches hold."""
        with urllib.request.urlopen(self.base + "/_/metrics", timeout=PATIENCE) as answer:
            text = answer.read().decode()
        names = ("tile_cache", "block_cache", "vector_index", "table")
        found = (re.search(rf"^sen_{name}_bytes (\d+)", text, re.M) for name in names)
        return sum(int(match[1]) for match in found if match) / 2**20


async def exchange(reader, writer, request):
    """Sends a request; status, Server-Timing and Retry-After of the answer, which is read to its end."""
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head[9:12])
    length = re.search(r"\r\ncontent-length: (\d+)", head)
    if length:
        left = int(length[1])
        while left:
            left -= len(await reader.readexactly(min(left, 1 << 16)))
    elif "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    durations = dict(re.findall(r"(\w+);dur=([\d.]+)", " ".join(re.findall(r"server-timing: (.*)", head))))
    work = durations.get("total", durations.get("draw"))
    served = None
    if work is not None:
        # `total` holds the wait, `draw` begins behind it
        served = float(work) + (0 if "total" in durations else float(durations.get("wait", 0)))
    return status, served


def rendered(port, path, body=None, key=None):
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + (body or b"")


async def client(port, requests, end, pause, out):
    """Asks one after the other on one connection until the time is over; after a refusal it waits a little."""
    reader = writer = None
    while time.monotonic() < end:
        path, body, key = next(requests)
        asked, refused = time.monotonic(), False
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 18)
            answer = exchange(reader, writer, rendered(port, path, body, key))
            status, served = await asyncio.wait_for(answer, PATIENCE)
            refused = status >= 500
        except (OSError, ValueError, EOFError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            status, served, refused = 0, None, True
        out.append((status, (time.monotonic() - asked) * 1e3, served))
        if status == 0 and writer is not None:
            writer.close()
            writer = None
        if refused or pause:
            await asyncio.sleep(pause or 0.5)
    if writer is not None:
        writer.close()


def run(port, make, seed, connections, seconds, pause, queue):
    """A process with so many clients; what they saw goes into the queue."""

    async def all_clients():
        out, end = [], time.monotonic() + seconds
        clients = [client(port, make(random.Random(seed * 1000 + number), number), end, pause, out) for number in range(connections)]
        await asyncio.gather(*clients)
        return out

    queue.put(asyncio.run(all_clients()))


def share(values, quantile):
    values = sorted(values)
    return values[min(len(values) - 1, math.ceil(quantile * len(values)) - 1)] if values else math.nan


class Classes:
    """What each class is asked for; by what the data folder holds."""

    def __init__(self, server, key):
        kinds = {kind["kind"]: kind for kind in server.json("/api/v1/zones")["kinds"]}
        areas = [kind for kind in kinds.values() if kind["shape"] == "polygon"]
        self.kind = max(areas or kinds.values(), key=lambda kind: kind["count"])["kind"]
        layers = server.json("/catalog")
        self.layer = "ndvi" if "ndvi" in json.dumps(layers) else next(iter(layers["tiles"]))
        self.weeks = server.json(f"/api/v1/periods/{self.layer}")["periods"]
        self.box = kinds[self.kind]["bbox"]
        self.zones = [f["properties"]["code"] for f in server.json(f"/api/v1/zones/{self.kind}?limit=500&geometry=none")["features"]]
        streams = server.json("/sta/v1.1/Datastreams?$top=100")["value"]
        self.streams, self.key = [stream["@iot.id"] for stream in streams], key

    def place(self, rng):
        west, south, east, north = self.box
        return rng.uniform(west, east), rng.uniform(south, north)

    def tile(self, rng, zoom, layer=None):
        lon, lat = self.place(rng)
        n = 2**zoom
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
        return f"/{layer or self.layer}/{zoom}/{int((lon + 180) / 360 * n)}/{int(y * n)}.png"

    def tiles(self, rng, _):
        while True:
            # a size and week of its own make nearly each of them new
            size = rng.choice((256, 512, 1024))
            yield f"{self.tile(rng, rng.randint(11, 16))}?datetime={rng.choice(self.weeks)}&size={size}", None, None

    def hot_tile(self, rng, _):
        path = self.tile(random.Random(1), 13) + f"?datetime={self.weeks[-1]}"
        while True:
            yield path, None, None

    def new_tiles(self, rng, _):
        while True:
            yield f"{self.tile(rng, 14)}?datetime={rng.choice(self.weeks)}&size=512", None, None

    def values(self, rng, _):
        while True:
            lon, lat = self.place(rng)
            yield f"/api/v1/point/{lon:.7f},{lat:.7f}?datetime={rng.choice(self.weeks)}", None, None

    def pictures(self, rng, _):
        west, south, east, north = self.box
        while True:
            moved = west - rng.random() * 1e-3
            week = rng.choice(self.weeks)
            yield f"/style/{self.layer}/static/{moved},{south},{east},{north}/2048x2048.png?datetime={week}", None, None

    def lists(self, rng, _):
        while True:
            zone = urllib.parse.quote(rng.choice(self.zones), safe="")
            yield from (
                (path, None, None)
                for path in rng.sample((
                    f"/api/v1/zones/{self.kind}?limit=1000",
                    f"/api/v1/search?q={zone[:4]}",
                    f"/zones/{self.kind}",
                    f"/api/v1/zones/{self.kind}/{zone}/week/{rng.choice(self.weeks)}",
                ), 4)
            )

    def statistics(self, rng, number):
        west, south, east, north = self.box
        body = json.dumps({"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]})
        while True:
            week = rng.choice(self.weeks)
            zone = urllib.parse.quote(rng.choice(self.zones), safe="")
            if number % 8 == 0:
                yield f"/api/v1/zonal?collection={self.layer}&datetime={week}", body.encode(), None
            yield f"/api/v1/zones/{self.kind}/values?collection={self.layer}&datetime={week}", None, None
            yield f"/api/v1/zones/{self.kind}/rollup?collection={self.layer}&datetime={week}", None, None
            yield f"/api/v1/zones/{self.kind}/{zone}/statistics?collection={self.layer}", None, None

    def sensorthings(self, rng, _):
        while True:
            yield from (
                (f"/sta/v1.1/{path}", None, None)
                for path in rng.sample((
                    "Things?$expand=Datastreams($expand=Observations($top=200;$orderby=phenomenonTime%20desc))",
                    "Datastreams?$expand=Observations($top=500)",
                    f"Observations?$top=1000&$skip={rng.randint(0, 80_000)}",
                    "Observations?$filter=result%20gt%201e99&$top=1",
                ), 4)
            )

    def writes(self, rng, number):
        second = 0
        while True:
            second += 1
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + number * 100_000 + second))
            body = {"phenomenonTime": at, "result": round(rng.uniform(1, 2), 3), "Datastream": {"@iot.id": self.streams[number % len(self.streams)]}}
            yield "/sta/v1.1/Observations", json.dumps(body).encode(), self.key

    def probe(self, path):
        def make(rng, _):
            while True:
                yield path, None, None
        return make


NAMES = ("tiles", "values", "pictures", "lists", "statistics", "sensorthings", "writes")


def measure(options, data, key, name):
    server = Server(options.sen, data)
    try:
        classes = Classes(server, key)
        make = getattr(classes, name)
        queues = [multiprocessing.Queue() for _ in range(6)]

        def start(queue, make, connections, seconds, pause=0.0, nice=0):
            def body():
                os.nice(nice)
                run(server.port, make, options.seed + connections, connections, seconds, pause, queue)
            process = multiprocessing.Process(target=body, daemon=True)
            process.start()
            return process

        start(queues[0], make, 1, options.calm)
        calm = [one for one in queues[0].get(timeout=options.calm + 2 * PATIENCE) if one[0] in (200, 201, 204)]
        urllib.request.urlopen(server.base + next(classes.hot_tile(None, 0))[0], timeout=PATIENCE).read()
        # the load is somebody else's machine: it stands back behind the server
        start(queues[1], make, options.connections, options.seconds, nice=5)
        time.sleep(min(1.0, options.seconds / 4))
        beside = max(1.0, options.seconds - 2)
        probes = (classes.probe("/health"), classes.probe("/ready"), classes.hot_tile, classes.new_tiles)
        for queue, probe in zip(queues[2:], probes):
            start(queue, probe, 1, beside, pause=0.05)
        peak, end = 0.0, time.monotonic() + options.seconds + PATIENCE + 10
        flood = None
        while flood is None and time.monotonic() < end:
            peak = max(peak, server.rss_mb())
            if not queues[1].empty():
                flood = queues[1].get()
            time.sleep(0.1)
        seen = [queue.get(timeout=2 * PATIENCE) for queue in queues[2:]]
        time.sleep(options.after)
        after, caches = server.rss_mb(), server.cache_mb()
    finally:
        server.stop()
    good = [one for one in flood or [] if one[0] in (200, 201, 204)]
    refused = [one for one in flood or [] if one[0] == 503]
    served = lambda some: [one[2] for one in some if one[2] is not None]
    # nothing of these shows the answer's own failure: a lost connection or another status counts apart
    row = {
        "class": name, "admitted": len(good), "refused": len(refused), "failed": len(flood or []) - len(good) - len(refused),
        "calm_p99_ms": share(served(calm), 0.99), "p50_ms": share(served(good), 0.5), "p99_ms": share(served(good), 0.99),
        "refusal_p99_ms": share(served(refused), 0.99),
        "peak_mb": peak, "after_mb": after, "caches_mb": caches,
    }
    for probe, some in zip(("health", "ready", "hot_tile", "new_tile"), seen):
        row[f"{probe}_p99_ms"] = share([one[1] for one in some], 0.99)
        row[f"{probe}_failed"] = sum(one[0] not in (200, 204) for one in some)
    return row


def missed(row):
    goals = {
        "RSS under 1,500 MB": row["peak_mb"] < 1500,
        "afterwards the caches and 200 MB": row["after_mb"] < row["caches_mb"] + 200,
        "/health under 100 ms": row["health_p99_ms"] < 100,
        "/ready under 100 ms": row["ready_p99_ms"] < 100,
        "p99 of a tile that is kept under 500 ms": row["hot_tile_p99_ms"] < 500,
        "nothing failed beside": row["health_failed"] + row["ready_failed"] + row["hot_tile_failed"] == 0,
        "admitted under three times calm": row["p99_ms"] < 3 * row["calm_p99_ms"],
        "something was admitted": row["admitted"] > 0,
    }
    if row["class"] != "tiles":  # a flood of tiles is what its own line is for
        goals["p99 of a new tile under 500 ms"] = row["new_tile_p99_ms"] < 500
    return [goal for goal, met in goals.items() if not met]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sen", default=os.environ.get("SEN", str(ROOT / "target/release/sen")))
    parser.add_argument("--data", default=os.environ.get("DEMO", str(ROOT / "demo/data")), help="only copied")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--calm", type=float, default=5, help="seconds of one client before")
    parser.add_argument("--after", type=float, default=10, help="seconds until memory is looked at again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=NAMES, action="append")
    parser.add_argument("--check", action="store_true", help="exit status 1 where a goal is missed")
    options = parser.parse_args()
    options.sen = str(Path(options.sen).resolve())
    work = tempfile.mkdtemp(prefix="sen-load-")
    atexit.register(shutil.rmtree, work, True)
    data = f"{work}/data"
    shutil.copytree(options.data, data)
    made = subprocess.run([options.sen, "-q", "--data", data, "keys", "add", "load", "--write", "observations"], capture_output=True, text=True, check=True)
    key = made.stdout.split()[-1]
    print("| class | admitted | refused | failed | calm p99 | p50 | p99 | refusal | /health | /ready | kept tile | new tile | peak | later | caches |")
    print("|---|" + "---|" * 14)
    bad = []
    for name in options.only or NAMES:
        row = measure(options, data, key, name)
        ms = lambda field: f"{row[field]:.0f} ms" if row[field] == row[field] else "-"
        cells = [row["class"], *(str(row[field]) for field in ("admitted", "refused", "failed"))]
        cells += [ms(f"{field}_ms") for field in ("calm_p99", "p50", "p99", "refusal_p99")]
        cells += [ms(f"{probe}_p99_ms") + (f" ({row[f'{probe}_failed']} failed)" if row[f"{probe}_failed"] else "") for probe in ("health", "ready", "hot_tile", "new_tile")]
        cells += [f"{row[field]:.0f} MB" for field in ("peak_mb", "after_mb", "caches_mb")]
        print("| " + " | ".join(cells) + " |", flush=True)
        print(json.dumps(row), file=sys.stderr)
        bad += [f"{name}: {goal}" for goal in missed(row)]
    for one in bad:
        print(f"missed: {one}", file=sys.stderr)
    sys.exit(1 if bad and options.check else 0)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
