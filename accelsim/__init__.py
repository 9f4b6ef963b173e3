"""Discrete-event, cycle-level simulation of CNN accelerators with compressed feature maps.

The public interface is small::

    import accelsim

    chip = accelsim.read_hardware("edge_npu")
    trace = accelsim.read_trace("squeezenet1_1")
    result = accelsim.simulate(chip, trace, codec="zvc")

Importing this package does not load numba, torch, matplotlib or polars: names are resolved
on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from accelsim.version import __version__

if TYPE_CHECKING:
    from accelsim.hardware.read import read_hardware as read_hardware
    from accelsim.report.plot import plot as plot
    from accelsim.simulation.simulate import compare as compare
    from accelsim.simulation.simulate import simulate as simulate
    from accelsim.sweeps.run import sweep as sweep
    from accelsim.workload.trace_file import read_trace as read_trace

_HOMES = {
    "read_hardware": "accelsim.hardware.read",
    "read_trace": "accelsim.workload.trace_file",
    "simulate": "accelsim.simulation.simulate",
    "compare": "accelsim.simulation.simulate",
    "sweep": "accelsim.sweeps.run",
    "plot": "accelsim.report.plot",
}
__all__ = ["__version__", "compare", "plot", "read_hardware", "read_trace", "simulate", "sweep"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'accelsim' has no attribute {name!r}")
