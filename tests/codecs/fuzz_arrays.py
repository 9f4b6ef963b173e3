"""Array files that somebody damaged, or made to do damage: from a seed.

    python -m tests.codecs.fuzz_arrays [CASES] [SEED]

A case is a good .npy or .npz file with bytes, header words or members changed, cut or doubled. It
may take ``SECONDS`` and ``MAX_MIB`` beyond what the process holds; a case that takes more, gives
another error than ``UserError``, more than two lines, or a warning, is kept beside its message.
"""

from __future__ import annotations

import io
import resource
import signal
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from accelsim.codecs.array_files import read_arrays
from accelsim.errors import UserError

SECONDS, MAX_MIB = 10, 512
ODD = (
    *("-1", "0", "1", "99999999999999999999", "1 << 70", "(" * 90, "[" * 500, "True", "None", "''"),
    *("|O", "<f8", "|V0", "|S3", "<M8[s]", ">i8", "|b1", "<u9", "('u1', (2,))", "[('a', '<i4')]"),
    *("{", "}", "lambda: 0", "1e999", "b'x'", "'a' * 9999999", "__import__('os')", "\\d", "\x00"),
)


def seeds() -> list[bytes]:
    """Good files of each kind."""
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.integers(0, 9, (4, 5), np.uint8),
        "b": rng.integers(-9, 9, (2, 3, 4)).astype(np.int16),
        "c": np.asfortranarray(rng.integers(0, 99, (7, 3))),
    }
    files = []
    for value in arrays.values():
        for version in ((1, 0), (2, 0)):
            with io.BytesIO() as file:
                np.lib.format.write_array(file, value, version)
                files.append(file.getvalue())
    for save in (np.savez, np.savez_compressed):
        with io.BytesIO() as archive:
            save(archive, allow_pickle=False, **arrays)
            files.append(archive.getvalue())
    return files


def mutant(whole: bytes, rng: np.random.Generator) -> bytes:
    """With a few bytes changed, cut, doubled or zeroed; a third of the .npy with odd headers."""
    data = bytearray(whole)
    if whole[:1] == b"\x93" and rng.random() < 0.4:
        return _odd_header(whole, rng)
    for _ in range(rng.integers(1, 5)):
        place, n = int(rng.integers(len(data))), int(rng.choice([1, 2, 4, 8, 64]))
        match rng.integers(5):
            case 0 | 1:
                data[place] = int(rng.integers(256))
            case 2:
                del data[place : place + n]
            case 3:
                data[place:place] = data[place : place + n]
            case _:
                data[place : place + n] = bytes([255 * int(rng.integers(2))]) * n
        if not data:
            break
    return bytes(data)


def _odd_header(whole: bytes, rng: np.random.Generator) -> bytes:
    size = 2 if whole[6] == 1 else 4
    start = 8 + size
    end = start + int.from_bytes(whole[8:start], "little")
    words = whole[start:end].decode("latin1").split()
    for _ in range(rng.integers(1, 4)):
        words[rng.integers(len(words))] = ODD[rng.integers(len(ODD))]
    header = " ".join(words).encode("latin1") + b"\n"
    return whole[:8] + len(header).to_bytes(size, "little") + header + whole[end:]


def rezipped(whole: bytes, rng: np.random.Generator) -> bytes:
    """An archive of sound structure whose members are mutants, one of them perhaps of zeros."""
    with io.BytesIO() as made:
        with warnings.catch_warnings(), zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")
            for name in ("a.npy", "b\n.npy", "a.npy")[: rng.integers(0, 4)]:
                behind = bytes(int(rng.choice([0, 100, 8 << 20])))
                archive.writestr(name, mutant(whole, rng) + behind)
        return made.getvalue()


def attempt(path: Path) -> str:
    """What is wrong with the answer; nothing if all is well."""
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _, values, _ in read_arrays(path):
                assert values.dtype.kind in "iu" and values.size
    except UserError as error:
        if len(str(error).splitlines()) != 2 or len(str(error)) > 1000:
            return f"says {str(error)[:300]!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident) >> 10
    return f"took {grown} MiB" if grown > MAX_MIB else ""


def _late(*_: Any) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def run(n_cases: int, seed: int) -> list[str]:
    """Try so many cases; what went wrong, with the file of each."""
    rng, good, problems = np.random.default_rng(seed), seeds(), []
    before = signal.signal(signal.SIGALRM, _late)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for case in range(n_cases):
                whole = good[case % len(good)]
                is_npy = whole[:1] == b"\x93"
                zipped = is_npy and rng.random() < 0.3
                data = rezipped(whole, rng) if zipped else mutant(whole, rng)
                path = Path(folder) / f"x{'.npy' if is_npy and not zipped else '.npz'}"
                path.write_bytes(data)
                if problem := attempt(path):
                    kept = Path(tempfile.gettempdir()) / f"array_case_{seed}_{case}{path.suffix}"
                    kept.write_bytes(data)
                    problems.append(f"{kept}: {problem}")
    finally:
        signal.signal(signal.SIGALRM, before)
    return problems


if __name__ == "__main__":
    cases, of_seed = (int(given) for given in (*sys.argv[1:], *("20000", "0")[len(sys.argv) - 1 :]))
    found = run(cases, of_seed)
    print(f"{cases} cases, {len(found)} problems", *found, sep="\n")
    sys.exit(bool(found))
