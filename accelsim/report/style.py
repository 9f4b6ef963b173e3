"""Style of all plots: colours that colour-blind readers can distinguish, and saving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.results.files import replacing
from accelsim.results.result import Result

# Paul Tol's "vibrant" colours; the DRAM parts are one blue in five lightnesses, so that
# what leaves the chip reads as one thing and prints in grey.
ENERGY_COLOURS: Final = {
    "PE array": "#EE7733",
    "idle PEs": "#F5B78F",
    "buffers": "#CC3311",
    "codec": "#009988",
    "leakage": "#BBBBBB",
    "DRAM activate": "#08306B",
    "DRAM rd/wr": "#0077BB",
    "DRAM I/O": "#5FB4E0",
    "DRAM PHY": "#99CFEA",
    "DRAM standby": "#C6E2F3",
}
TENSOR_COLOURS: Final = {
    "ifmap": "#0077BB",
    "weight": "#EE7733",
    "ofmap": "#33BBEE",
    "psum": "#BBBBBB",
}
STALL_COLOURS: Final = {
    "ifmap": "#0077BB",
    "weight": "#EE7733",
    "ofmap": "#33BBEE",
    "index": "#08306B",
    "decode": "#009988",
    "encode": "#66C2A5",
    "buffer": "#EE3377",
    "depend": "#AA4499",
}
WORK_COLOURS: Final = {"compute": "#444444", "vector": "#999999"}
LINE_COLOURS: Final = (
    "#0077BB",
    "#EE7733",
    "#009988",
    "#CC3311",
    "#33BBEE",
    "#EE3377",
    "#666666",
)
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")

_STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "accelsim",
}


def look(number: int) -> dict[str, Any]:
    """Colour and marker of the series with this number; 49 differ."""
    turn = number // len(LINE_COLOURS)
    return {
        "color": LINE_COLOURS[number % len(LINE_COLOURS)],
        "marker": MARKERS[(number + turn) % len(MARKERS)],
        "markersize": 4.5,
    }


def styled() -> Any:
    """The context in which every figure is made."""
    return rc_context(_STYLE)


def source_line(result: Result, *, with_machine: bool = True) -> str:
    """Where the numbers come from: everything needed to make the plot again."""
    parts = [
        f"accelsim {result.versions.get('accelsim', '')}",
        f"trace {result.trace} ({result.images} image{'s' * (result.images != 1)}, "
        f"sha256 {result.inputs.get('trace_sha256', '')[:8]})",
    ]
    if with_machine:
        dram = result.config.get("dram")
        standard = dram.get("standard", "") if isinstance(dram, dict) else ""
        parts.append(f"machine {result.hardware} (config {result.config_sha256[:8]})")
        parts += [f"DRAM {standard}"] if standard else []
    return "Source: " + ", ".join(parts)


def stacked_bars(
    axes: Axes,
    places: Sequence[float],
    parts: dict[str, list[float]],
    colours: dict[str, str],
    *,
    horizontal: bool,
    width: float = 0.72,
) -> None:
    """Stacked bars; a part that is zero everywhere is also left out of the legend."""
    offset = [0.0] * len(places)
    for name, values in parts.items():
        if not any(values):
            continue
        look: dict[str, Any] = {"color": colours[name], "label": name, "linewidth": 0}
        if horizontal:
            axes.barh(places, values, width, left=offset, **look)
        else:
            axes.bar(places, values, width, bottom=offset, **look)
        offset = [below + value for below, value in zip(offset, values, strict=True)]


def save(figure: Figure, path: Path) -> None:
    """Write the figure in one step; the suffix chooses the format (png, svg, pdf)."""
    _settle(figure)
    no_date = {"Date": None} if path.suffix == ".svg" else None
    with replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=160, metadata=no_date, bbox_inches="tight", pad_inches=0.15)


def _settle(figure: Figure) -> None:
    """Fix the layout, because the last digits of its solver vary, and with them ids in an SVG."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position([round(side, 6) for side in axes.get_position().bounds])  # type: ignore[arg-type]
