"""What the benchmarks share: servers that are started, asked and stopped, and results that are kept."""

import datetime
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# one small round of our side alone, by `benches/smoke.py`: tells that a script still measures, not how fast `sen` is
SMOKE = "SMOKE" in os.environ
WORK = ROOT / ("target/bench/smoke" if SMOKE else "target/bench")
EXAMPLES = ROOT / ("target/debug/examples" if SMOKE else "target/release/examples")
PEERS = str(WORK / "venv/bin/python")  # a Python that has the peers' packages
SEN = str(ROOT / os.environ.get("SEN", "target/release/sen"))
RED, NIR = (WORK / f"scene/T48PWS_20261104T032011_{name}.tif" for name in ("B04", "B08"))
WEEK = "2026-W45"

# a grid as fine as the scene
GRID = "[grid]\ncell_m = 100.0\n" if SMOKE else ""
LAYOUT = f"""
{GRID}
[[geotiff]]
name = "bench"
collection = "sentinel-2-l2a"
files = "T48PWS_{{%Y%m%dT%H%M%S}}_{{band}}.tif"
bands = ["red", "nir"]
scale = 0.0001
offset = 0
nodata = 0
"""


class Server:
    """Processes that together answer at an address; gone when the block ends."""

    def __init__(self, commands, base, ready, env=None):
        self.commands, self.base, self.ready = commands, base, ready
        self.env, self.processes = {**os.environ, **(env or {})}, []

    def __enter__(self):
        log = open(WORK / "servers.log", "a")
        for command in self.commands:
            self.processes.append(subprocess.Popen(command, env=self.env, stdout=log, stderr=log, start_new_session=True))
        end = time.monotonic() + 60
        while status(self.base + self.ready) is None:
            if time.monotonic() > end or self.processes[-1].poll() is not None:
                self.__exit__()
                raise SystemExit(f"{self.commands[-1][0]} does not answer; see {WORK / 'servers.log'}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def cpu_s(self):
        """Processor seconds of all processes of the groups so far."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(") ", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) in [process.pid for process in self.processes]:
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def memory_mib(self, field="VmRSS"):
        text = Path(f"/proc/{self.processes[-1].pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith(field)).split()[1]) / 1024


def free_address():
    """An address of this machine where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return "127.0.0.1:{1}".format(*one.getsockname())


def fetch(url):
    """The body of an answer."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read()


def status(url):
    """The answer's status, or None when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def load(server, paths, connections, seconds, runs=3, warm=2):
    """Median of some runs of wrk over a list of paths, after a warm-up."""
    if SMOKE:
        seconds, runs, warm = 1, 1, 0
    listing = WORK / "paths.txt"
    listing.write_text("".join(f"{path}\n" for path in paths))

    def once(duration):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{duration}s", "--timeout", "30s"]
        command += ["-s", str(ROOT / "benches/wrk.lua"), server.base, "--", str(listing)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return json.loads(next(line for line in out.splitlines() if line.startswith("{")))

    if warm:
        once(warm)
    before, results = server.cpu_s(), [once(seconds) for _ in range(runs)]
    cpu_ms = (server.cpu_s() - before) * 1000 / sum(result["requests"] for result in results)
    rates = sorted(result["rate"] for result in results)
    return {
        "rate": statistics.median(rates),
        "rates": rates,
        "p50_ms": statistics.median(result["p50_ms"] for result in results),
        "p99_ms": statistics.median(result["p99_ms"] for result in results),
        "bytes": results[0]["bytes"],
        "errors": sum(result["errors"] for result in results),
        "cpu_ms": cpu_ms,
    }


def keep(name, **result):
    """Prints a result and appends it to the results."""
    short = {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}
    line = json.dumps({"at": datetime.datetime.now().isoformat(timespec="seconds"), "what": name, **short})
    print(line, flush=True)
    with open(WORK / "results.jsonl", "a") as file:
        file.write(line + "\n")


def settle():
    """Waits until the disk has what earlier runs left to write, which is theirs."""
    if not SMOKE:
        os.sync()


def data_folder(name, serve=""):
    """A fresh data folder that knows the scene, with its week still to be made."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "sen.toml").write_text(f"{serve}\n{LAYOUT}")
    sen(folder, "ingest", str(WORK / "scene"), "--no-process")
    return folder


def sen(folder, *words):
    ran = subprocess.run([SEN, "--data", str(folder), *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ran.returncode:
        raise SystemExit(f"sen {' '.join(words)}: {ran.stderr}")


def week():
    """The data folder whose ndvi of one week is the scene, made once."""
    folder = WORK / "data"
    if not (folder / "done").exists():
        data_folder("data")
        sen(folder, "process", "--product", "ndvi")
        (folder / "done").touch()
    raster, = (folder / f"assets/ndvi/2026/ndvi_{WEEK}").glob("ndvi-*.tif")
    return folder, raster


def serving(folder, name, env=None, **serve):
    """`sen serve` on a folder with the given [serve] settings."""
    config = WORK / f"{name}.toml"
    lines = "".join(f"{key} = {value}\n" for key, value in serve.items())
    config.write_text(f"[serve]\n{lines}\n{LAYOUT}")
    listen = free_address()
    command = [SEN, "--data", str(folder), "--config", str(config), "-q", "serve", "--listen", listen]
    return Server([command], f"http://{listen}", "/health", env)
