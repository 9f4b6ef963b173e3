"""``accelsim trace``: networks with their real tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from accelsim.cli.options import Json, Whole, names_in
from accelsim.cli.trace_import import import_trace as import_trace

_MODEL_SUFFIXES = (".pt", ".pth", ".pt2", ".ckpt", ".bin", ".onnx", ".safetensors", ".h5", ".keras")


def info_trace(file: str, /, *, as_json: Json = False) -> None:
    """Show what a trace contains: layers, maps, density, entropy.

    Parameters
    ----------
    file
        A trace file, or the name of a shipped one.
    """
    from dataclasses import asdict

    from accelsim.cli.console import print_table, print_text, warn
    from accelsim.results.json_form import dumps
    from accelsim.results.number_text import number
    from accelsim.results.table import Column, Table
    from accelsim.workload.trace_file import read_trace
    from accelsim.workload.trace_info import trace_info

    with read_trace(file) as trace:
        info = trace_info(trace)
    warn(info.facts.warnings)
    if as_json:
        print_text(dumps(asdict(info)))
        return
    edges = {edge.name: edge for edge in info.edges}
    rows = []
    for layer in info.layers:
        edge = edges[layer.output]
        rows.append(
            (
                layer.name,
                layer.kind,
                " x ".join(map(str, edge.shape)),
                f"{layer.macs / 1e6:,.2f}" if layer.macs else ".",
                f"{layer.n_weights / 1e3:,.1f}" if layer.n_weights else ".",
                f"{'int' if edge.signed else 'uint'}{edge.bits}",
                f"{edge.density:.3f}",
                f"{edge.entropy_bits:.2f}",
            )
        )
    facts = info.facts
    images = f"{facts.n_images} image{'s' * (facts.n_images != 1)}"
    accuracy = ", ".join(f"{key} {number(value)}" for key, value in facts.accuracy.items())
    footer = [
        f"{images}; {info.macs / 1e6:,.0f} M MACs, {info.n_weights / 1e6:,.2f} M weights and "
        f"{info.n_values / 1e6:,.2f} M map values for one image; "
        f"file {info.file_bytes / 1e6:.1f} MB",
        f"sha256 {facts.sha256}",
    ]
    if accuracy:
        footer.append(f"accuracy: {accuracy}")
    footer += [f"{key}: {text}" for key, text in (facts.training | facts.provenance).items()]
    print_table(
        Table(
            title=facts.name,
            columns=(
                Column("layer", is_text=True),
                Column("kind", is_text=True),
                Column("output", "C x H x W"),
                Column("MACs", "M"),
                Column("weights", "k"),
                Column("word", is_text=True),
                Column("density"),
                Column("entropy", "b/value"),
            ),
            rows=tuple(rows),
            footer=tuple(footer),
        )
    )


def export_trace(
    model: str,
    /,
    *,
    out: Path | None = None,
    images: str | None = None,
    pre_activations: Annotated[bool, Parameter(negative=())] = False,
    weights: bool = True,
    data_root: Path | None = None,
) -> None:
    """Run a trained network on images, quantise it, and write its trace.

    Needs the extra [train]; networks by name need the packages of `make models` as well.

    Parameters
    ----------
    model
        A checkpoint of `accelsim train`, or a network by name, such as squeezenet1_1.
    out
        The trace file to write; by default NAME.h5 in the current folder, after the model.
    images
        How many images; or names of free photographs or image files, separated by commas.
    pre_activations
        Also store the maps before their ReLUs.
    weights
        Store the weights and constants, without which a trace cannot be replayed.
    data_root
        Folder of the data set that the checkpoint was trained on, unless it is installed.
    """
    from accelsim.cli.console import note, print_text
    from accelsim.results.files import writable_folder
    from accelsim.results.number_text import number
    from accelsim.training.extra import demand_torch

    demand_torch()
    from accelsim.training.checkpoint import load_checkpoint
    from accelsim.training.export import ACCEPTED, export_checkpoint, export_trace
    from accelsim.training.networks import NETWORKS, trained_network

    chosen = _number_or_names(images)
    path = Path(model)
    is_checkpoint = path.is_file() or (model not in NETWORKS and _means_a_file(path))
    target = out or Path(f"{path.stem if is_checkpoint else model}.h5")
    if is_checkpoint:
        load_checkpoint(path, ACCEPTED)  # what is none is said before a folder is made
    else:
        trained_network(model)
    writable_folder(target.parent)
    if is_checkpoint:
        figures = export_checkpoint(
            path,
            target,
            chosen,
            data_root=data_root,
            pre_activations=pre_activations,
            weights=weights,
            warn=note,
        )
    else:
        figures = export_trace(
            model, target, chosen, pre_activations=pre_activations, weights=weights
        )
    said = ", ".join(f"{key} {number(value)}" for key, value in figures.items())
    print_text(f"{target}: {said}\n")


def _means_a_file(path: Path) -> bool:
    """Whether somebody who gives this as a model means a file, there or not."""
    return path.exists() or len(path.parts) > 1 or path.suffix in _MODEL_SUFFIXES


def _number_or_names(images: str | None) -> int | tuple[str, ...] | None:
    if images is None:
        return None
    return int(images) if images.isdecimal() else names_in(images, "--images")


def synth_trace(
    *,
    topology: Path,
    density: float,
    entropy: float,
    seed: Whole,
    form: Literal["conv", "gemm"] | None = None,
    out: Path | None = None,
    bits: Whole = 8,
    images: Whole = 1,
) -> None:
    """Write a trace of random maps with given density and entropy, for a SCALE-Sim topology.

    Parameters
    ----------
    topology
        A SCALE-Sim CSV file of layers.
    density
        Fraction of non-zero values, 0 to 1.
    entropy
        Zeroth-order entropy in bits per value.
    seed
        Random seed: the same seed gives the same file.
    form
        Form of the rows of the topology; by default the first row decides.
    out
        The trace file to write; by default NAME.h5 in the current folder, after the topology.
    bits
        Word width of the maps.
    images
        How many images.
    """
    from accelsim.cli.console import print_text, warn
    from accelsim.results.files import writable_folder
    from accelsim.workload.importers.scalesim import doubtful_rows, read_topology
    from accelsim.workload.importers.topology_graph import topology_graph
    from accelsim.workload.synth import synthesise

    target = out or Path(f"{topology.stem}.h5")
    rows = read_topology(topology, form)
    warnings = tuple(doubtful_rows(rows))
    warn(warnings)
    graph = topology_graph(rows)
    writable_folder(target.parent)
    synthesise(
        *(target, graph, density, entropy, seed),
        bits=bits,
        n_images=images,
        name=topology.stem,
        warnings=warnings,
    )
    print_text(f"{target}: {len(graph.layers)} layers, {images} images\n")
