"""A tiny trace, and the command line in this process."""

from types import SimpleNamespace

import pytest

from accelsim import kernel_compiling
from accelsim.cli.app import main
from accelsim.cli.warm_up import CHECKS, REPLAYS
from accelsim.dram.memory import POLICIES
from accelsim.sim.kernels import modules_of_run

TOPOLOGY = """\
Layer, IH, IW, FH, FW, C, N, Stride,
conv1, 12, 12, 3, 3, 4, 8, 1,
conv2, 10, 10, 3, 3, 8, 8, 1,
"""


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels():
    """Once, here: a test of what stands on stderr must not see that kernels are compiled."""
    codecs = ("raw", "zvc", "csc", "huffman", "spark", "transform_coding")
    for policy in POLICIES:
        kernel_compiling.compile_kernels([*modules_of_run(policy, codecs), *REPLAYS, *CHECKS])


@pytest.fixture
def accelsim(capsys):
    def call(*tokens):
        code = main([str(token) for token in tokens])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture(scope="session")
def topology(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny") / "tiny.csv"
    path.write_text(TOPOLOGY)
    return path


@pytest.fixture(scope="session")
def trace(topology):
    path = topology.with_suffix(".h5")
    synth = ["trace", "synth", "--topology", topology, "--density", 0.4, "--entropy", 2.5]
    assert main([str(t) for t in [*synth, "--seed", 1, "--images", 2, "--out", path]]) == 0
    return path
