"""Checkpoints that somebody damaged, or made to do damage: from a seed.

    python -m tests.training.fuzz_checkpoint 20000

loads so many mutants of each kind, each within a limit of time and memory.
"""

import math
import resource
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

SECONDS, ADDRESS_BYTES = 10, 16 << 30


def mutant(whole, seed):
    """The bytes of a file with a few of them changed, cut out, doubled, or zeroed."""
    random = np.random.default_rng(seed)
    data = bytearray(whole)
    for _ in range(random.integers(1, 5)):
        place, n = random.integers(len(data)), int(random.choice([1, 2, 4, 8, 64]))
        match random.integers(6):
            case 0 | 1:
                data[place] ^= 1 << random.integers(8)
            case 2:
                data[place : place + n] = random.bytes(min(n, len(data) - place))
            case 3:
                del data[place : place + n]
            case 4:
                data[place:place] = data[place : place + n]
            case _:
                data[place : place + n] = bytes(min(n, len(data) - place))
    return bytes(data)


def mutated_entries(fields, seed):
    """A deep copy of nested entries: one or two replaced, renamed, dropped, added or swapped."""
    random = np.random.default_rng(seed)
    made = _copied(fields)
    for _ in range(random.integers(1, 3)):
        inner = [x for x in _containers(made) if x]
        box = inner[random.integers(len(inner))]
        keys = list(box) if isinstance(box, dict) else list(range(len(box)))
        key = keys[random.integers(len(keys))]
        match random.integers(5):
            case 0 | 1:
                box[key] = _anything(random)
            case 2 if isinstance(box, dict):
                box[_anything(random, hashable=True)] = box.pop(key)
            case 3:
                del box[key]
            case _:
                other = keys[random.integers(len(keys))]
                box[key], box[other] = box[other], box[key]
    return made


def _copied(value):
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _containers(value):
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)


def _anything(random, hashable=False):
    import torch

    simple = [None, True, -1, 0, 7, 1 << 80, math.nan, -math.inf, 0.5, "", "float", "x" * 5000]
    deep = []
    for _ in range(100):
        deep = [deep]
    others = [
        *([], {}, [1, 2], {"a": 1}, {1: {2: {3: 4}}}, deep, b"bytes", (1, 2), 1 + 2j),
        *(torch.zeros(()), torch.zeros(3), torch.full((2,), math.nan), torch.zeros(0, 5)),
        *(torch.zeros(1).expand(1 << 50), torch.zeros(2, dtype=torch.complex64)),
        *(torch.eye(2).to_sparse(), torch.zeros(2, device="meta"), torch.Size([1 << 40])),
    ]
    choices = simple if hashable else simple + others
    return choices[random.integers(len(choices))]


def _stopped(_number, _frame):
    raise TimeoutError


def main():
    import torch

    from accelsim.data_files import shipped
    from accelsim.errors import AccelsimError
    from accelsim.training.cat_training import restored
    from accelsim.training.checkpoint import load_checkpoint

    source = shipped("traces") / "checkpoints" / "fmnist_resnet8_cat_mid.pt"
    whole, fields = source.read_bytes(), torch.load(source, weights_only=True)
    signal.signal(signal.SIGALRM, _stopped)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    counts = {"read": 0, "refused": 0, "wrong": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pt"
        for seed in range(int(sys.argv[1])):
            for kind in ("bytes", "entries"):
                if kind == "bytes":
                    path.write_bytes(mutant(whole, seed))
                else:
                    torch.save(mutated_entries(fields, seed), path)
                signal.alarm(SECONDS)
                try:
                    restored(load_checkpoint(path), "a.pt")
                    counts["read"] += 1
                except AccelsimError:
                    counts["refused"] += 1
                except Exception as error:
                    counts["wrong"] += 1
                    print(kind, seed, type(error).__name__, str(error)[:200])
                signal.alarm(0)
    print(counts)


if __name__ == "__main__":
    main()
