"""What comes in from sensors: readings imported from a CSV file, and values over MQTT through a real broker (mosquitto).

usage: intake.py. Rates are values a second until they can be read; `sen` alone, so that two builds can be compared."""

import datetime
import json
import shutil
import subprocess
import time

from bench import SEN, SMOKE, WORK, Server, fetch, free_address, keep

ROWS = 2_000 if SMOKE else 200_000
MESSAGES, VALUES = (20, 50) if SMOKE else (2_000, 50)
RUNS = 1 if SMOKE else 3
FIRST = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)


def time_of(number):
    return (FIRST + datetime.timedelta(minutes=5 * number)).isoformat()


def value_of(number):
    return round(1.5 + (number % 97) / 100, 3)


def folder_with_station(settings=""):
    folder = WORK / "intake"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    station = {"type": "Feature", "properties": {"code": "TV-01", "name": "TV-01", "interval_s": 300},
               "geometry": {"type": "Point", "coordinates": [105.48, 10.5]}}
    path = WORK / "intake_station.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [station]}))
    subprocess.run([SEN, "--data", str(folder), "-q", "import", "layer", str(path), "--as", "stations"], check=True, stdout=subprocess.DEVNULL)
    if settings:
        (folder / "sen.toml").write_text(settings)
    return folder


def imported():
    table = WORK / "intake.csv"
    lines = (f"{time_of(number)},TV-01,{value_of(number)}\n" for number in range(ROWS))
    table.write_text("time,station,level_m\n" + "".join(lines))
    folder = folder_with_station()
    began = time.perf_counter()
    subprocess.run([SEN, "--data", str(folder), "-q", "import", "observations", str(table)], check=True, stdout=subprocess.DEVNULL)
    return ROWS / (time.perf_counter() - began)


def arrived(server):
    answer = json.loads(fetch(server.base + "/sta/v1.1/Observations?$count=true&$top=1"))
    return answer["@iot.count"]


def published():
    broker, listen = free_address(), free_address()
    port = broker.split(":")[1]
    config = WORK / "intake_mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    folder = folder_with_station(f'[mqtt]\nurl = "mqtt://{broker}"\ntopics = ["sen/observations/#"]\n')
    text = "\n".join(
        json.dumps([{"station": "TV-01", "property": "water_level", "time": time_of(number), "value": value_of(number), "unit": "m"}
                    for number in range(first, first + VALUES)])
        for first in range(0, MESSAGES * VALUES, VALUES))
    commands = [["/usr/sbin/mosquitto", "-c", str(config)], [SEN, "--data", str(folder), "-q", "serve", "--listen", listen]]
    with Server(commands, f"http://{listen}", "/ready") as server:
        publish = ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-t", "sen/observations/TV-01", "-l"]
        while arrived(server) == 0:  # what comes before the subscription is lost
            subprocess.run(publish, input=text.split("\n", 1)[0], text=True)
            time.sleep(0.2)
        began = time.perf_counter()
        subprocess.run(publish, input=text, text=True, check=True)
        while (count := arrived(server)) < MESSAGES * VALUES:
            assert time.perf_counter() - began < 600, f"{count} of {MESSAGES * VALUES} values arrived"
            time.sleep(0.02)
        return MESSAGES * VALUES / (time.perf_counter() - began)


def main():
    for name, run in (("import", imported), ("mqtt", published)):
        rates = sorted(run() for _ in range(RUNS))
        keep(f"intake {name}", rate=rates[len(rates) // 2], rates=[round(rate) for rate in rates])


if __name__ == "__main__":
    main()
