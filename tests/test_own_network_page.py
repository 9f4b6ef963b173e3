"""docs/bring_your_own_network.md does what it says: its scripts and commands, in its order."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the [train] extra")
pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from accelsim.cli.app import main  # noqa: E402
from accelsim.workload.importers.onnx.model_file import OPSETS  # noqa: E402
from accelsim.workload.trace_file import read_trace  # noqa: E402

PAGE = (Path(__file__).parents[1] / "docs" / "bring_your_own_network.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_page_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    n_commands = 0
    for language, text in BLOCK.findall(PAGE):
        if language == "python":
            exec(text, names)  # the page's own script
            continue
        first, *said = text.splitlines()
        lines = [first.removeprefix("$ ")] if first.startswith("$ ") else [first, *said]
        for line in lines:
            program, *tokens = shlex.split(line)
            assert program == "accelsim"
            capsys.readouterr()
            code = main(tokens)
            n_commands += 1
            if first.startswith("$ "):
                assert code == 2 and capsys.readouterr().err.splitlines() == said
            else:
                assert code == 0, capsys.readouterr().err
    assert n_commands == 7
    kinds = {}
    for name in ("mine", "scores", "program"):
        with read_trace(tmp_path / f"{name}.h5") as trace:
            kinds[name] = [x.kind for x in trace.graph.layers]
    assert (
        kinds["mine"] == kinds["scores"] == kinds["program"] == ["conv", "depthwise", "pool", "fc"]
    )


def test_the_page_names_the_opsets_that_are_read() -> None:
    assert f"ONNX opsets {OPSETS[0]} to {OPSETS[1]} are read" in PAGE
