"""Data for ``dram show``: every value of a memory with its unit and its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import inf

from accelsim.dram.interface import Interface
from accelsim.dram.power import Rail
from accelsim.dram.standard import DramStandard

_CURRENTS = tuple(field.name for field in fields(Rail) if field.name.startswith("IDD"))
_BITS = ("device_bits", "bus_bits")
_BEATS = ("burst_length",)


@dataclass(frozen=True)
class DramValue:
    """One value of a standard."""

    key: str
    """``timing.CL``, ``power.VDD.IDD4R``."""
    value: float | str
    unit: str
    nanoseconds: float | None
    """The delay in ns; None if the value is not a delay."""
    source: str


def dram_values(standard: DramStandard) -> list[DramValue]:
    """Every value that describes ``standard``, in the order of its parts.

    >>> from accelsim.dram.standard import STANDARDS
    >>> delay = next(v for v in dram_values(STANDARDS["ddr4_3200_x64"]) if v.key == "timing.tFAW")
    >>> delay.value, delay.unit, delay.nanoseconds
    (34, 'cycles', 21.25)
    """
    sources = {
        key.strip(): text for keys, text in standard.sources.items() for key in keys.split(",")
    }
    return [
        *_organisation(standard, sources),
        *_timing(standard, sources),
        *_power(standard, sources),
        *_controller(standard, sources),
    ]


def _organisation(standard: DramStandard, sources: dict[str, str]) -> Iterator[DramValue]:
    for name, value in vars(standard.organisation).items():
        unit = "bits" if name in _BITS else "beats" if name in _BEATS else ""
        yield DramValue(f"organisation.{name}", value, unit, None, sources[name])
    package = standard.package_channels
    yield DramValue("package_channels", package, "", None, sources["channels"])


def _timing(standard: DramStandard, sources: dict[str, str]) -> Iterator[DramValue]:
    timing = standard.timing
    for name, value in vars(timing).items():
        if name == "tCK_ns":
            yield DramValue("timing.tCK_ns", value, "ns", value, sources[name])
        elif name in sources:
            nanoseconds = value * timing.tCK_ns
            yield DramValue(f"timing.{name}", value, "cycles", nanoseconds, sources[name])


def _power(standard: DramStandard, sources: dict[str, str]) -> Iterator[DramValue]:
    power = standard.power
    for rail in power.rails:
        own = sources[rail.name]
        of_all = sources.get(f"{rail.name} currents")
        yield DramValue(f"power.{rail.name}.volts", rail.volts, "V", None, own)
        for name in _CURRENTS:
            key, current = f"power.{rail.name}.{name}", getattr(rail, name)
            yield DramValue(key, current, "mA", None, of_all or sources.get(name, own))
    for name, share in vars(power.typical).items():
        if name in sources:
            yield DramValue(f"power.typical.{name}", share, "of max", None, sources[name])
    for name, unit in (
        ("rho", "of IDD3N - IDD2N"),
        ("io_pj_per_bit", "pJ/bit"),
        ("phy_pj_per_bit", "pJ/bit"),
    ):
        if name in sources:
            yield DramValue(f"power.{name}", getattr(power, name), unit, None, sources[name])
    if power.interface is not None:
        yield from _interface(power.interface, sources["interface"])


def _interface(pins: Interface, source: str) -> Iterator[DramValue]:
    for name, value, unit in (
        ("signalling", pins.signalling, ""),
        ("volts", pins.volts, "V"),
        ("read_driver", pins.read.driver_ohm, "ohm"),
        ("read_termination", pins.read.termination_ohm, "ohm"),
        ("write_driver", pins.write.driver_ohm, "ohm"),
        ("write_termination", pins.write.termination_ohm, "ohm"),
        ("pads", pins.pads_pf, "pF"),
        ("dbi", "on" if pins.dbi else "off" if pins.has_dbi else "none", ""),
    ):
        shown = "none" if value == inf else value
        yield DramValue(f"power.interface.{name}", shown, unit, None, source)


def _controller(standard: DramStandard, sources: dict[str, str]) -> Iterator[DramValue]:
    for name, value in vars(standard.controller).items():
        if name in ("self_refresh_cycles", "power_down_cycles") and value == 0:
            continue  # what is switched off needs no source
        yield DramValue(f"controller.{name}", value, "", None, sources[name])
