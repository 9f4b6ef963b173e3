"""Which modules hold the kernels of a run, so that no others are compiled."""

from __future__ import annotations

from collections.abc import Iterable

from accelsim.codecs.named import codec_modules
from accelsim.dram.memory import POLICIES


def modules_of_run(policy: str, codecs: Iterable[str]) -> set[str]:
    """For ``kernel_compiling.compile_kernels``: a run with this memory and these codecs.

    >>> sorted(modules_of_run("ideal", ["zvc:group=16"]))[1:3]
    ['accelsim.codecs.measure', 'accelsim.dram.policies.ideal']
    """
    memory = POLICIES[policy].__module__
    lowering = {"accelsim.mapping.placing.place", "accelsim.mapping.tiling.fetch"}
    always = lowering | {"accelsim.codecs.measure", "accelsim.sim.run"}
    return {*always, memory, *codec_modules(codecs)}
