"""What commands compile, and what they say of it."""

import json
import os
import subprocess
import sys

import numpy as np

from accelsim.cli.warm_up import CHECKS, REPLAYS
from accelsim.codecs.named import codec_modules
from accelsim.kernel_compiling import needed_modules
from accelsim.sim.kernels import modules_of_run


def rooms_of(*roots: str) -> set[str]:
    return {".".join(name.split(".")[1:3]) for name in needed_modules(roots)}


def test_each_command_compiles_only_what_it_uses() -> None:
    measure = needed_modules(["accelsim.codecs.measure_file", *codec_modules(["zvc"])])
    assert "accelsim.codecs.formats.zvc" in measure
    assert all(name.startswith("accelsim.codecs.") for name in measure)
    assert rooms_of(*CHECKS) == {"dram.rules", "dram.traces"}
    replay = needed_modules(REPLAYS)
    assert "accelsim.dram.kernel.replay" in replay
    assert not {"accelsim.dram.kernel.serve", "accelsim.dram.rules.judge"} & set(replay)
    run = needed_modules(modules_of_run("dramsim3", ["zvc"]))
    assert {"accelsim.dram.kernel.serve", "accelsim.sim.kernel", *measure} <= set(run)
    unused = {"accelsim.dram.kernel.ideal", "accelsim.training.rounding_kernel", *replay}
    assert not unused & set(run)
    assert not [n for n in run if n.startswith("accelsim.codecs.formats.") and "zvc" not in n]


def test_an_ideal_memory_compiles_no_controller() -> None:
    needed = set(needed_modules(modules_of_run("ideal", ["zvc"])))
    assert "accelsim.dram.kernel.ideal" in needed
    assert "accelsim.dram.kernel.serve" not in needed


def test_a_format_brings_what_it_builds_upon() -> None:
    needed = needed_modules(codec_modules(["transform_coding"]))
    assert any(name.startswith("accelsim.codecs.transforms.") for name in needed)


def test_compiling_is_counted_once_and_never_mentioned_again(tmp_path) -> None:
    np.save(tmp_path / "x.npy", np.arange(64, dtype=np.uint8).reshape(4, 4, 4))
    command = [sys.executable, "-m", "accelsim", "codecs", "measure", "x.npy", "--codec", "raw"]
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "ACCELSIM_CACHE_DIR": str(tmp_path), "PYTHONPATH": path}
    first, second = (
        subprocess.run(
            [*command, "--json"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        for _ in range(2)
    )
    assert first.returncode == second.returncode == 0, first.stderr
    assert json.loads(first.stdout)["arrays"] == json.loads(second.stdout)["arrays"]
    begun, *counted, ended = first.stderr.splitlines()
    assert begun.startswith("accelsim: compiling kernels (once on this machine): ")
    n_kernels = int(begun.split()[-1])
    assert [int(line.split()[1]) for line in counted] == [n_kernels * k // 4 for k in (1, 2, 3)]
    assert ended.startswith(f"accelsim: compiled {n_kernels} kernels in ")
    assert second.stderr == ""


def test_warming_up_says_when_nothing_is_left(accelsim) -> None:
    said = accelsim("warm-up", "--codec", "zvc")
    assert said.code == 0 and "compiled already" in said.err and said.out == ""
    wrong = accelsim("warm-up", "--codec", "zcv")
    assert wrong.code == 2 and "Did you mean 'zvc'?" in wrong.err
