"""Files from outside, damaged: every reader of this room gives an answer or one message.

    python -m tests.dram.fuzzing [--cases 20000] [--seed 0] [--reader ini|text|npz|csv|cmd]

A case is a good file with bytes, lines, numbers or words changed, cut, or doubled; half of the
texts are gzipped. It may take ``SECONDS`` and ``MAX_MIB`` beyond what the process holds already; a
run fails with the case that takes more, gives another error than ``UserError``, or warns. The
failing file is kept beside the message.
"""

from __future__ import annotations

import argparse
import gzip
import io
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.traces.command_trace import read_commands
from accelsim.dram.traces.requests import request_chunks
from accelsim.energy.dram import event_energy
from accelsim.errors import UserError
from tests.dram import golden

SECONDS: Final = 5.0
MAX_MIB: Final = 512
LINES: Final = 120
"""Of a seed file: enough for every kind of line, and quick to read."""
ODD_NUMBERS: Final = (
    *(b"0", b"-1", b"1", b"3", b"4294967296", b"9223372036854775807", b"99999999999999999999999"),
    *(b"1e308", b"nan", b"inf", b"0x", b"010", b"1.5", b"", b"1_0", b"0" * 400, b"9" * 400),
)
ODD_WORDS: Final = (b"READ", b"WRITE", b"W", b"refresh", b"true", b"CLOSE_PAGE", b"\xff\xfe", b"=")
DDR4 = golden.config("DDR4_8Gb_x8_3200")


def ini(path: Path) -> None:
    config, said = read_ini(path)
    assert len(said) <= 21 and all(len(text) < 2000 for text in said)
    event_energy(config)


def requests(path: Path) -> None:
    for chunk in request_chunks(path, DDR4):
        assert (chunk.address >= 0).all() and (np.diff(chunk.arrival_cycle) >= 0).all()


def commands(path: Path) -> None:
    read_commands(path, DDR4)


def npz_seed() -> bytes:
    file = io.BytesIO()
    rng = np.random.default_rng(1)
    np.savez(
        file, line=rng.integers(0, 9999, 50), w=rng.integers(0, 2, 50), t_ns=np.arange(50) * 0.625
    )
    return file.getvalue()


def seeds() -> dict[str, tuple[Callable[[Path], None], str, list[bytes]]]:
    """By reader: what reads, the suffix of its files, and good ones."""
    traces = [
        b"".join(
            b"0x%X %s %d\n" % (64 * i, (b"READ", b"WRITE")[i % 2], 3 * i) for i in range(LINES)
        ),
        b"".join(b"%s 0x%X\n" % ((b"LD", b"ST")[i % 2], 64 * i) for i in range(LINES)),
        b"".join(b"%s 0,0,%d,1,%d,3\n" % ((b"R", b"W")[i % 2], i % 4, i) for i in range(LINES)),
    ]
    csv = gzip.decompress(
        (golden.DATA / "commands" / "DDR4_8Gb_x8_3200.f_rndmix.csv.gz").read_bytes()
    )
    csv = b"\n".join(csv.split(b"\n")[:LINES]) + b"\n"
    rows = [row.split(b",") for row in csv.split(b"\n")[1:-1]]
    cmd = b"".join(
        b"%-18s %-20s 0 %s %s %s 0x%x 0x%x\n" % (*row[:5], int(row[5]) & 0xFFFF, int(row[6]) & 0xFF)
        for row in rows
    )
    configs = [path.read_bytes() for path in sorted((golden.DATA / "configs").glob("*.ini"))]
    return {
        "ini": (ini, ".ini", configs),
        "text": (requests, ".trc", traces),
        "npz": (requests, ".npz", [npz_seed()]),
        "csv": (commands, ".csv", [csv]),
        "cmd": (commands, ".trace", [cmd]),
    }


def damaged(rng: np.random.Generator, good: bytes) -> bytes:
    """One to six changes of any kind."""
    data = bytearray(good)
    for _ in range(rng.integers(1, 7)):
        if not data:
            break
        at, n = int(rng.integers(len(data))), int(rng.integers(1, 40))
        match rng.integers(7):
            case 0:
                data[at] = int(rng.integers(256))
            case 1:
                del data[at : at + n]
            case 2:
                data[at:at] = bytes(rng.integers(0, 256, n, np.uint8))
            case 3:
                data[at:at] = data[at : at + 20 * n]
            case 4:
                del data[at:]
            case 5 | 6:
                odd = (*ODD_NUMBERS, *ODD_WORDS)[rng.integers(len(ODD_NUMBERS) + len(ODD_WORDS))]
                end = at
                while end < len(data) and chr(data[end]).isalnum():
                    end += 1
                data[at:end] = odd
    return bytes(data)


def run(reader: str, n_cases: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(what is wrong, the file) of each of ``n_cases`` cases that is not answered as it should."""
    read, suffix, good = seeds()[reader]
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"case{suffix}"
        for _ in range(n_cases):
            content = damaged(rng, good[rng.integers(len(good))])
            if suffix in (".trc", ".csv", ".trace") and rng.random() < 0.5:
                content = gzip.compress(content, 1)
                content = damaged(rng, content) if rng.random() < 0.5 else content
            path.write_bytes(content)
            problem = _problem(read, path)
            if problem:
                yield problem, content


def _problem(read: Callable[[Path], None], path: Path) -> str:
    start = perf_counter()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read(path)
    except UserError as error:
        text = str(error)
        if text.count("\n") != 1 or len(text) > 1000:
            return f"no clear message: {text[:200]!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]} after {perf_counter() - start:.1f} s"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


def _late(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def limit() -> None:
    """From here on the process can grow by ``MAX_MIB``, and a case can be too late."""
    signal.signal(signal.SIGALRM, _late)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (MAX_MIB << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=seeds(), action="append")
    options = parser.parse_args()
    for read, suffix, good in seeds().values():  # compile first
        with tempfile.TemporaryDirectory() as folder:
            for content in good:
                (Path(folder) / f"good{suffix}").write_bytes(content)
                read(Path(folder) / f"good{suffix}")
    limit()
    n_found = 0
    for reader in options.reader or seeds():
        for problem, content in run(reader, options.cases, options.seed):
            n_found += 1
            kept = Path(tempfile.gettempdir()) / f"{reader}.{n_found}{seeds()[reader][1]}"
            kept.write_bytes(content)
            print(f"{reader}: {problem}: {kept}")
        print(f"{reader}: {options.cases} cases")
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.exit(main())
