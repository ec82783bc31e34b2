"""Writes vectors.json: what ioos_qc says of series with steps, spikes, stuck stretches, gaps and missing values.

    pip install ioos_qc==3.0.0 && python vectors.py > vectors.json
"""
import json
import warnings

import ioos_qc
import numpy as np
from ioos_qc import qartod

warnings.simplefilter("ignore")
rng = np.random.default_rng(20261123)


def series(n, missing, stuck, step=900, gap=False):
    times = 1_779_037_200 + step * np.arange(n)
    if gap:
        times[n // 2 :] += 13 * step + 77
    values = np.round(1.2 + 0.6 * np.sin(np.arange(n) / 9.0) + rng.normal(0, 0.01, n), 3)
    for at in rng.integers(0, n, max(1, n // 20)):
        values[at] += rng.choice([-9.0, -0.5, -0.2, 0.2, 0.3, 0.5, 12.0])
    if stuck and n > 30:
        values[n // 4 : n // 4 + 28] = 1.234
    for at in rng.integers(0, n, missing):
        values[at] = np.nan
    return times, np.round(values, 3)


def numbers(array):
    return [None if np.isnan(value) else float(value) for value in array]


cases = []
shapes = [(1, 0, False), (2, 0, False), (2, 1, False), (3, 0, False), (5, 2, False), (60, 0, True), (60, 6, True)]
for n, missing, stuck in shapes:
    for gap in (False, True) if n == 60 else (False,):
        seconds, values = series(n, missing, stuck, gap=gap)
        times = seconds.astype("datetime64[s]")
        flags = {
            "gross_range": qartod.gross_range_test(values, (-2, 7), (0, 1.7)),
            "gross_range_fail_only": qartod.gross_range_test(values, (-2, 7)),
            "spike_average": qartod.spike_test(values, 0.15, 0.40),
            "rate_of_change": qartod.rate_of_change_test(values, times, 0.5 / 3600, 2.0 / 3600),
            "flat_line": qartod.flat_line_test(values, times, 3 * 3600, 6 * 3600, 0.005) if n > 1 else None,
            "flat_line_noisy": qartod.flat_line_test(values, times, 1800, 3600, 0.1) if n > 1 else None,
        }
        if n > 2:
            flags["spike_differential"] = qartod.spike_test(values, 0.15, 0.40, "differential")
            flags["attenuated_std"] = qartod.attenuated_signal_test(values, times, 0.05, 0.001, test_period=7200)
            flags["attenuated_range"] = qartod.attenuated_signal_test(
                values, times, 0.1, 0.01, test_period=7200, min_obs=4, check_type="range"
            )
            flags["attenuated_whole"] = qartod.attenuated_signal_test(values, times, 3.0, 0.2)
        if n > 1:
            flags["time_gap"] = qartod.time_gap_test(times, fail_span=0.375)
        flags = {name: np.asarray(array) for name, array in flags.items() if array is not None}
        flags["compare"] = qartod.qartod_compare(
            [flags[name] for name in ("gross_range", "spike_average", "rate_of_change", "flat_line") if name in flags]
        )
        cases.append(
            {
                "times": [int(t) for t in seconds],
                "values": numbers(values),
                "flags": {name: "".join(str(int(flag)) for flag in array) for name, array in flags.items()},
            }
        )
print(json.dumps({"made_with": f"ioos_qc {ioos_qc.__version__}, numpy {np.__version__}", "cases": cases}, indent=1))
