"""Record DRAMsim3's commands where its shipped files do not go: the data of the tests.

Run as ``python benchmarks/validation/record_dramsim3.py DRAMSIM3MAIN CONFIGS FOLDER`` with a
program built with ``cmake -DCMD_TRACE=1`` and DRAMsim3's ``configs`` folder. For each variant
it writes ``NAME.ini`` (the values of a shipped file, some replaced), the commands of every
channel as ``NAME.PATTERN.csv.gz``, and a row of ``statistics.csv``; beside them the request
patterns as ``.npz``.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from dramsim3_program import STATISTICS, run_dramsim3, totals

from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.ini_files.text import parse
from accelsim.dram.replay import replay
from accelsim.dram.traces.requests import read_requests

SECTION = {
    **dict.fromkeys(("hbm_dual_cmd", "bankgroup_enable"), "dram_structure"),
    **dict.fromkeys(("tREFI", "tREFIb", "tCKESR", "tXS"), "timing"),
}
"""Of the keys that variants replace; all others stand in [system]."""

CLOSE = {"row_buf_policy": "CLOSE_PAGE"}
PER_RANK = {"queue_structure": "PER_RANK"}
UNIFIED = {"unified_queue": "true"}
SIMULTANEOUS = {"refresh_policy": "RANK_LEVEL_SIMULTANEOUS"}
BY_BANK = {"refresh_policy": "BANK_LEVEL_STAGGERED", "tREFIb": "488"}
SLEEPS = {"enable_self_refresh": "true", "sref_threshold": "1000"}
DDR4 = "DDR4_8Gb_x8_3200"

# name: (shipped file, what is replaced, patterns)
VARIANTS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "ddr4_close": (DDR4, CLOSE, ("mixed", "bursts")),
    "ddr4_per_rank": (DDR4, PER_RANK, ("mixed", "bursts")),
    "ddr4_unified": (DDR4, UNIFIED, ("mixed",)),
    "ddr4_close_rank_unified": (
        DDR4,
        CLOSE | PER_RANK | UNIFIED | {"cmd_queue_size": "3", "trans_queue_size": "13"},
        ("mixed",),
    ),
    "ddr4_small_queues": (DDR4, {"cmd_queue_size": "1", "trans_queue_size": "1"}, ("mixed",)),
    "ddr4_simultaneous": (DDR4, SIMULTANEOUS, ("bursts",)),
    "ddr4_by_bank": (DDR4, BY_BANK, ("mixed", "bursts")),
    "ddr4_by_bank_close": (DDR4, BY_BANK | CLOSE | {"tREFIb": "60"}, ("mixed",)),
    "ddr4_2ch": (DDR4, {"channels": "2", "address_mapping": "rorabgbacoch"}, ("mixed",)),
    "ddr4_x4_4ch": (
        "DDR4_8Gb_x4_2933",
        {"channels": "4", "address_mapping": "rocorababgch", "cmd_queue_size": "5"},
        ("bursts",),
    ),
    "ddr3_odd": (
        "DDR3_1Gb_x8_1333",
        {"address_mapping": "chrobabgraco", "cmd_queue_size": "5", "trans_queue_size": "7"},
        ("mixed",),
    ),
    "gddr5": ("GDDR5_8Gb_x32", {}, ("mixed",)),
    "gddr5_one_group": ("GDDR5_8Gb_x32", {"bankgroup_enable": "false"} | CLOSE, ("mixed",)),
    "gddr5x": ("GDDR5X_8Gb_x32", {"bankgroup_enable": "true"} | PER_RANK, ("mixed",)),
    "gddr6_2ch_by_bank": ("GDDR6_8Gb_x16", {"channels": "2"} | BY_BANK, ("bursts",)),
    "hbm1_rank_close": ("HBM1_4Gb_x128", PER_RANK | CLOSE | {"channels": "4"}, ("mixed",)),
    "hbm2_8ch": ("HBM2_8Gb_x128", {"address_mapping": "rorabgbacoch"}, ("mixed", "bursts")),
    "hbm2_close": ("HBM2_8Gb_x128", CLOSE | {"channels": "1"}, ("mixed",)),
    "hbm2_one_command": ("HBM2_8Gb_x128", {"channels": "2", "hbm_dual_cmd": "false"}, ("mixed",)),
    "lpddr_close": ("lpddr_2Gb_x16", CLOSE, ("mixed",)),
    "lpddr3_per_rank": ("LPDDR3_8Gb_x32_1600", PER_RANK, ("mixed",)),
    "lpddr4_by_bank_unified": ("LPDDR4_8Gb_x16_2400", BY_BANK | UNIFIED, ("mixed",)),
    "ddr4_sleep": (DDR4, SLEEPS, ("late",)),
    "ddr4_sleep_simultaneous": (DDR4, SLEEPS | SIMULTANEOUS | PER_RANK, ("late",)),
    "ddr4_sleep_by_bank": (DDR4, SLEEPS | BY_BANK | {"sref_threshold": "400"}, ("late",)),
    "hbm2_8ch_sleep": ("HBM2_8Gb_x128", SLEEPS | {"address_mapping": "rorabgbacoch"}, ("late",)),
    "lpddr4_sleep_close": ("LPDDR4_8Gb_x16_2400", SLEEPS | CLOSE, ("late",)),
}


def patterns() -> dict[str, dict[str, np.ndarray]]:
    """Lines, write flags and arrival times in ns.

    Writes go to odd lines and reads to even ones: DRAMsim3 hangs when a write arrives while
    its line is still to be read.
    """
    rng = np.random.default_rng(11)

    def requests(line: np.ndarray, share: float, t_ns: np.ndarray) -> dict[str, np.ndarray]:
        w = rng.random(len(line)) < share
        return {"line": (line // 2 * 2 + w).astype(np.uint32), "w": w, "t_ns": t_ns}

    rows, n = rng.integers(0, 96, 500) * 1237, 500
    local = (rows * 64 + rng.integers(0, 32, n)) % (1 << 18)
    gaps = rng.choice([0, 0, 0, 12, 90, 1500], n)
    early, later = rng.integers(0, 1 << 10, 60), rng.integers(0, 1 << 13, 140)
    late_ns = np.concatenate([3000.0 + np.arange(60) * 150, 30_000.0 + np.arange(140) * 400])
    return {
        "mixed": requests(local, 0.45, np.zeros(n)),
        "bursts": requests(rng.integers(0, 1 << 17, n), 0.3, np.cumsum(gaps).astype(float)),
        "late": requests(np.concatenate([early, later]), 0.3, late_ns),
    }


def variant_text(shipped: Path, replaced: dict[str, str]) -> str:
    """The values of a shipped file with some replaced, in a fixed order."""
    values = parse(shipped.read_text(errors="replace"))
    names = {where: (values.spelling[where], text) for where, text in values.text.items()}
    for key, text in replaced.items():
        names[SECTION.get(key, "system"), key.lower()] = key, text
    lines, last = [], ""
    for (section, _), (key, text) in sorted(names.items()):
        if section in ("other", "thermal", "hmc"):
            continue
        lines += [f"\n[{section}]"] * (section != last) + [f"{key} = {text}"]
        last = section
    return "\n".join(lines).strip() + "\n"


def record(program: Path, configs: Path, folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    for name, arrays in patterns().items():
        np.savez_compressed(folder / f"{name}.npz", **arrays)
    rows, n_commands = [], 0
    for name, (shipped, replaced, wanted) in VARIANTS.items():
        ini = folder / f"{name}.ini"
        ini.write_text(variant_text(configs / f"{shipped}.ini", replaced))
        config, _ = read_ini(ini)
        for pattern in wanted:
            requests = read_requests(folder / f"{pattern}.npz", config, config.line_bytes)
            cycles = replay(config, requests).cycles
            theirs = run_dramsim3(program, ini, requests, cycles)
            if theirs.error:
                print(f"{name}.{pattern}: DRAMsim3 stopped: {theirs.error}")
                return 1
            commands = [(c, *row) for c, rows_ in enumerate(theirs.commands) for row in rows_]
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(commands)
            data = gzip.compress(text.getvalue().encode(), 9, mtime=0)
            (folder / f"{name}.{pattern}.csv.gz").write_bytes(data)
            counted = totals(theirs.statistics)
            rows.append({"name": name, "pattern": pattern, "cycles": cycles, **counted})
            n_commands += len(commands)
    with (folder / "statistics.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, ["name", "pattern", "cycles", *STATISTICS], lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    print(f"{len(rows)} runs, {n_commands} commands")
    return 0


if __name__ == "__main__":
    raise SystemExit(record(*(Path(word) for word in sys.argv[1:4])))
