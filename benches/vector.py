"""Vector tiles of 200,000 plots: `vector` made on request beside Martin on PostGIS and PostGIS alone, `vector-repeat` from
the caches of both.

The mix: every tile of z9 to z13 over the box of the plots, 500 of z14 and 800 of z15. Server, database and load share all
cores; servers take turns on the same data. Martin is used where target/bench/martin/bin/martin is (`cargo install martin
--version 1.14.0 --locked --no-default-features --features postgres,metrics --root target/bench/martin`); ST_AsMVT through
pgbench, which needs no HTTP at all, is measured in any case.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import time

from bench import ROOT, SEN, SMOKE, WORK, Server, fetch, keep, load, serving
from tiles import measure, tiles

PLOTS = WORK / "plots"
COUNT = ["2000"] if SMOKE else []
PG = WORK / "postgres"
PG_BIN = "/usr/lib/postgresql/15/bin"
PG_PORT = "55432"
MARTIN = WORK / "martin/bin/martin"
COLUMNS = ["plot_id", "area_code", "commune", "crop", "season", "area_ha", "status", "yield_t_ha"]
SECONDS = int(os.environ.get("SECONDS_A_RUN", "8"))


def mix():
    chosen = [one for z in range(9, 14) for one in tiles(z)] + tiles(14, 500) + tiles(15, 800)
    random.Random(0).shuffle(chosen)
    return chosen


def plots():
    """The plots as files, made once."""
    if not (PLOTS / "done").exists():
        subprocess.run([sys.executable, str(ROOT / "benches/plots.py"), str(PLOTS), *COUNT], check=True)
        (PLOTS / "done").touch()


def sen_folder():
    """A data folder with the plots, imported once."""
    folder = WORK / "vector"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "sen.toml").write_text("")
        started = time.monotonic()
        command = [SEN, "--data", str(folder), "import", "zones", str(PLOTS / "plots.geojson"), "--as", "plots"]
        subprocess.run([*command, "--code", "plot_id", "--parent", "commune"], check=True, stdout=subprocess.DEVNULL)
        keep("vector import", seconds=time.monotonic() - started)
        (folder / "done").touch()
    return folder


def as_postgres(*command, **more):
    """Runs a program of PostgreSQL, which refuses to be root."""
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    return subprocess.run(command, check=True, cwd="/", **more)


def psql(sql):
    command = [f"{PG_BIN}/psql", "-q", "-h", "127.0.0.1", "-p", PG_PORT, "-U", "perf", "-d", "gis"]
    return subprocess.run([*command, "-v", "ON_ERROR_STOP=1"], input=sql, text=True, check=True, capture_output=True).stdout


SETTINGS = """
shared_buffers = 2GB
work_mem = 64MB
jit = off
max_parallel_workers_per_gather = 0
random_page_cost = 1.1
fsync = off
autovacuum = off
listen_addresses = '127.0.0.1'
"""


def postgres():
    """PostGIS with the plots in EPSG:3857, indexed and clustered; made once, started when it sleeps."""
    fresh = not (PG / "PG_VERSION").exists()
    if fresh:
        PG.mkdir(parents=True, exist_ok=True)
        shutil.chown(PG, "postgres", "postgres") if os.geteuid() == 0 else None
        as_postgres(f"{PG_BIN}/initdb", "-D", str(PG), "-U", "perf", "-A", "trust", "-E", "UTF8", stdout=subprocess.DEVNULL)
        with open(PG / "postgresql.conf", "a") as file:
            file.write(SETTINGS + f"port = {PG_PORT}\nunix_socket_directories = '{PG}'\n")
    running = subprocess.run([f"{PG_BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", PG_PORT]).returncode == 0
    if not running:
        as_postgres(f"{PG_BIN}/pg_ctl", "-D", str(PG), "-w", "-l", f"{PG}/log", "start", stdout=subprocess.DEVNULL)
    if fresh:
        subprocess.run([f"{PG_BIN}/createdb", "-h", "127.0.0.1", "-p", PG_PORT, "-U", "perf", "gis"], check=True)
        kinds = ["text", "text", "text", "text", "text", "float8", "int4", "float8"]
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, kinds))
        names = ", ".join(COLUMNS)
        psql(f"create extension postgis; create table plots (id int4, {columns}, geom geometry(Polygon, 4326));")
        copy = f"\\copy plots from '{PLOTS / 'plots.tsv'}'"
        command = [f"{PG_BIN}/psql", "-q", "-h", "127.0.0.1", "-p", PG_PORT, "-U", "perf", "-d", "gis", "-c", copy]
        subprocess.run(command, check=True)
        psql(
            f"create table plots_3857 as select id, {names}, ST_Transform(geom, 3857)::geometry(Polygon, 3857) geom from plots;"
            "alter table plots_3857 add primary key (id); create index g on plots_3857 using gist (geom);"
            "cluster plots_3857 using g; vacuum analyze plots_3857;"
        )


def stop_postgres():
    as_postgres(f"{PG_BIN}/pg_ctl", "-D", str(PG), "-m", "fast", "stop", stdout=subprocess.DEVNULL)


def martin(cache_mb):
    kinds = dict.fromkeys(COLUMNS, "varchar") | {"area_ha": "float8", "status": "int4", "yield_t_ha": "float8"}
    properties = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
    config = WORK / "martin.yaml"
    config.write_text(f"""
listen_addresses: '127.0.0.1:18005'
worker_processes: 2
cache_size_mb: {cache_mb}
postgres:
  connection_string: 'postgresql://perf@127.0.0.1:{PG_PORT}/gis'
  pool_size: 8
  auto_publish: false
  tables:
    plots: {{schema: public, table: plots_3857, srid: 3857, geometry_column: geom, id_column: id,
            geometry_type: POLYGON, extent: 4096, buffer: 64, clip_geom: true, properties: {{{properties}}}}}
""")
    command = [str(MARTIN), "--config", str(config)]
    return Server([command], "http://127.0.0.1:18005", "/health", {"RUST_LOG": "error"})


def pgbench(name, wanted):
    """Tiles a second of ST_AsMVT itself: two clients, tiles drawn at random."""
    rows = ",".join(f"({number},{z},{x},{y})" for number, (z, x, y) in enumerate(wanted))
    psql(f"drop table if exists wanted; create table wanted (n int primary key, z int, x int, y int);"
         f"insert into wanted values {rows}; analyze wanted;")
    names = ", ".join(COLUMNS)
    script = WORK / "st_asmvt.sql"
    script.write_text(
        f"\\set n random(0, {len(wanted) - 1})\n"
        "select z, x, y from wanted where n = :n \\gset\n"
        "WITH b AS (SELECT ST_TileEnvelope(:z, :x, :y) g, ST_TileEnvelope(:z, :x, :y, margin => 64.0/4096) m) "
        "SELECT ST_AsMVT(t, 'plots', 4096, 'geom', 'id') FROM (SELECT ST_AsMVTGeom(geom, (SELECT g FROM b), 4096, 64, true) "
        f"geom, id, {names} FROM plots_3857 WHERE geom && (SELECT m FROM b)) t;\n"
    )
    command = [f"{PG_BIN}/pgbench", "-n", "-h", "127.0.0.1", "-p", PG_PORT, "-U", "perf", "-f", str(script)]
    rates = []
    for _ in range(4):
        run = [*command, "-c", "2", "-j", "1", "-T", str(SECONDS), "gis"]
        out = subprocess.check_output(run, text=True, stderr=subprocess.DEVNULL)
        rates.append(float(re.search(r"tps = ([\d.]+)", out).group(1)))
    rates = sorted(rates[1:])
    keep(name, rate=rates[1], rates=rates, load=os.getloadavg()[0])


def path(z, x, y):
    return f"/plots/{z}/{x}/{y}"


def largest(server, wanted):
    """The largest tile, and the most and fewest plots of those of z12."""
    sizes = {one: len(fetch(server.base + path(*one))) for one in wanted}
    worst = max(sizes, key=sizes.get)
    return {"largest": "/".join(map(str, worst)), "largest_bytes": sizes[worst]}


def compare_peers(wanted, by_zoom):
    postgres()
    try:
        if MARTIN.exists():
            with martin(0) as server:
                measure("vector martin, mix", server, path, wanted, seconds=SECONDS, warm=4)
                for z, some in by_zoom.items():
                    measure(f"vector martin, z{z}", server, path, some, seconds=SECONDS, connections=2)
        else:
            print(f"{MARTIN} is not there: ST_AsMVT alone is the peer", file=sys.stderr)
        pgbench("vector ST_AsMVT, mix", wanted)
        for z in (10, 13):
            pgbench(f"vector ST_AsMVT, z{z}", by_zoom[z])
    finally:
        stop_postgres()


def on_request():
    plots()
    wanted = mix()
    by_zoom = {z: tiles(z, 300) for z in range(9, 16)}
    if not SMOKE:
        compare_peers(wanted, by_zoom)
    with serving(sen_folder(), "vector", tile_cache_mb=0) as server:
        started = time.monotonic()
        fetch(server.base + path(*by_zoom[15][0]))
        keep("vector sen, layer read", seconds=time.monotonic() - started, rss_mib=server.memory_mib())
        keep("vector sen, sizes", **largest(server, wanted))
        measure("vector sen, mix", server, path, wanted, seconds=SECONDS, warm=4)
        for z, some in by_zoom.items():
            measure(f"vector sen, z{z}", server, path, some, seconds=SECONDS, connections=2)
        keep("vector sen, memory", rss_mib=server.memory_mib(), peak_mib=server.memory_mib("VmHWM"))


def from_cache():
    plots()
    hot = tiles(13, 20)
    if MARTIN.exists() and not SMOKE:
        postgres()
        try:
            with martin(512) as server:
                measure("vector-repeat martin", server, path, hot, connections=16, seconds=SECONDS)
        finally:
            stop_postgres()
    with serving(sen_folder(), "vector", tile_cache_mb=64) as server:
        measure("vector-repeat sen", server, path, hot, connections=16, seconds=SECONDS)


if __name__ == "__main__":
    {"vector": on_request, "vector-repeat": from_cache}[sys.argv[1]]()
