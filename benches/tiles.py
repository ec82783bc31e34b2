"""Tiles of one week: `tiles` beside TiTiler and MapServer from the same COG, `repeat` beside a constant body.

Server and load share all cores. No tile is kept in `tiles`; `repeat` asks for twenty tiles that are kept.
"""

import math
import os
import random
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import EXAMPLES, SMOKE, WORK, Server, fetch, free_address, keep, load, serving, status, week

BOX = 105.2, 10.1, 106.0, 10.9
CONNECTIONS, SECONDS = 4, 8


def tile(lon, lat, z):
    y = math.asinh(math.tan(math.radians(lat)))
    return int((lon + 180) / 360 * 2**z), int((1 - y / math.pi) / 2 * 2**z)


def tiles(z, most=10**9):
    """Tiles of a zoom that meet the box, in a fixed disorder."""
    (left, top), (right, bottom) = tile(BOX[0], BOX[3], z), tile(BOX[2] - 1e-5, BOX[1] + 1e-5, z)
    found = [(z, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
    random.Random(z).shuffle(found)
    return found[:most]


def mix():
    """2,000 tiles: all of z10 to z13, some of z14 and z15, mixed."""
    few = [one for z in (10, 11, 12, 13) for one in tiles(z)] + tiles(14, 700)
    few += tiles(15, 2000 - len(few))
    random.Random(0).shuffle(few)
    return few


def titiler(cog):
    """Two workers with the settings its own documentation recommends."""
    env = {
        "GDAL_CACHEMAX": "200",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
        "VSI_CACHE": "TRUE",
        "VSI_CACHE_SIZE": "5000000",
    }
    command = [str(WORK / "venv/bin/uvicorn"), "titiler.application.main:app", "--port", "18001", "--workers", "2"]
    server = Server([[*command, "--log-level", "warning", "--no-access-log"]], "http://127.0.0.1:18001", "/healthz", env)
    query = f"url={cog}&rescale=-2000,9000&colormap_name=rdylgn"
    return server, lambda z, x, y: f"/cog/tiles/WebMercatorQuad/{z}/{x}/{y}.png?{query}"


MAPFILE = """
MAP
  NAME "bench" EXTENT 105.2 10.1 106.0 10.9 SIZE 256 256 IMAGETYPE png
  PROJECTION "init=epsg:4326" END
  CONFIG "GDAL_CACHEMAX" "200"
  CONFIG "GDAL_DISABLE_READDIR_ON_OPEN" "EMPTY_DIR"
  OUTPUTFORMAT NAME "png" DRIVER AGG/PNG MIMETYPE "image/png" IMAGEMODE RGBA FORMATOPTION "COMPRESSION=1" END
  WEB METADATA "ows_enable_request" "*" "ows_srs" "EPSG:3857" END END
  LAYER
    NAME "ndvi" TYPE RASTER STATUS ON DATA "{cog}"
    PROJECTION "init=epsg:32648" END
    PROCESSING "RESAMPLE=NEAREST" PROCESSING "NODATA=-32768" PROCESSING "CLOSE_CONNECTION=DEFER"
    PROCESSING "SCALE=-2000,9000" PROCESSING "SCALE_BUCKETS=256"
    {classes}
  END
END
"""

NGINX = """
daemon off; worker_processes 1; pid {run}/nginx.pid; error_log {run}/nginx.log; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path {run}/a; proxy_temp_path {run}/b; fastcgi_temp_path {run}/c; uwsgi_temp_path {run}/d; scgi_temp_path {run}/e;
  server {{ listen 127.0.0.1:18002; location / {{
    include /etc/nginx/fastcgi_params; fastcgi_pass unix:{run}/ms; fastcgi_buffers 64 64k; fastcgi_buffer_size 64k;
  }} }}
}}
"""

RAMP = [(-2000, "165 0 38"), (750, "244 109 67"), (3500, "255 255 191"), (6250, "102 189 99"), (9000, "0 104 55")]


def mapserver(cog, run):
    """Two FastCGI processes on one socket behind nginx; resampling nearest, the quickest it has."""
    classes = ""
    for (low, a), (high, b) in zip(RAMP, RAMP[1:]):
        first, last = (-32767 if low == RAMP[0][0] else low), (32767 if high == RAMP[-1][0] else high)
        test = f"([pixel] >= {first} AND [pixel] < {last})"
        classes += f"CLASS EXPRESSION {test} STYLE COLORRANGE {a} {b} DATARANGE {low} {high} END END\n"
    mapfile, settings = run / "bench.map", run / "mapserver.conf"
    mapfile.write_text(MAPFILE.format(cog=cog, classes=classes))
    settings.write_text(f'CONFIG ENV MS_MAP_PATTERN "^{run}/" END MAPS bench "{mapfile}" END END\n')
    user = "user root;" if os.geteuid() == 0 else ""
    (run / "nginx.conf").write_text(NGINX.format(run=run, user=user))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(run / "ms"))
    listener.listen(128)
    env = {**os.environ, "MAPSERVER_CONFIG_FILE": str(settings)}
    workers = [subprocess.Popen(["mapserv"], stdin=listener.fileno(), env=env, start_new_session=True) for _ in range(2)]
    path = lambda z, x, y: f"/?map={mapfile}&mode=tile&tilemode=gmap&tile={x}+{y}+{z}&layers=ndvi&map.imagetype=png"
    nginx = ["nginx", "-p", str(run), "-c", str(run / "nginx.conf")]
    server = Server([nginx], "http://127.0.0.1:18002", path(13, *tile(105.6, 10.5, 13)))
    return server, path, workers


def sen_path(z, x, y):
    return f"/ndvi/{z}/{x}/{y}.png"


def measure(name, server, path, wanted, seconds=SECONDS, connections=CONNECTIONS, **more):
    paths = [path(*one) for one in wanted]
    found = {}
    for one in paths[:: max(1, len(paths) // 50)]:
        code = status(server.base + one)
        found[code] = found.get(code, 0) + 1
    assert set(found) <= {200, 204, 404}, f"{name} answers {found}"
    keep(name, **load(server, paths, connections, seconds, **more), statuses=found)


def compare_peers(cog, wanted):
    server, path = titiler(cog)
    with server:
        measure("tiles titiler", server, path, wanted, warm=8)
    with tempfile.TemporaryDirectory() as run:
        server, path, workers = mapserver(cog, Path(run))
        with server:
            server.processes += workers
            measure("tiles mapserver", server, path, wanted)


def compare_tiles():
    folder, cog = week()
    wanted = mix()
    if not SMOKE:
        compare_peers(cog, wanted)
    for blocks in (0, 128, 512):
        with serving(folder, "tiles", tile_cache_mb=0, block_cache_mb=blocks) as server:
            measure(f"tiles sen, {blocks} MB of blocks", server, sen_path, wanted, warm=5)
            keep(f"memory after tiles, {blocks} MB of blocks", rss_mib=server.memory_mib(), peak_mib=server.memory_mib("VmHWM"))


def compare_repeats():
    folder, _ = week()
    hot = tiles(15, 20)
    with serving(folder, "repeat", tile_cache_mb=64, block_cache_mb=128) as server:
        measure("repeat sen", server, sen_path, hot, connections=16, seconds=4)
        sizes = [len(fetch(server.base + sen_path(*one))) for one in hot]
    body = sum(sizes) // len(sizes)
    listen = free_address()
    command = [str(EXAMPLES / "static_body"), listen, str(body)]
    with Server([command], f"http://{listen}", sen_path(0, 0, 0)) as server:
        measure("repeat static body", server, sen_path, hot, connections=16, seconds=4)


if __name__ == "__main__":
    {"tiles": compare_tiles, "repeat": compare_repeats}[sys.argv[1]]()
