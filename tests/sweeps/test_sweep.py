"""Sweeps with a made-up simulator: resumed, parallel, interrupted, with failing points."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from accelsim.errors import MappingError, UserError
from accelsim.sweeps.export import export
from accelsim.sweeps.local import run_local
from accelsim.sweeps.points import make_points
from accelsim.sweeps.run import sweep
from accelsim.sweeps.study import read_study

STUDY = """\
hardware: edge_npu
trace: squeezenet1_1
vary:
  array.rows: [4, 8, 16, 32]
  codec.name: [raw, zvc]
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "sizes.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def log(tmp_path):
    """A file that every run of a point adds a line to, whatever its process."""
    path = tmp_path / "runs.log"
    path.touch()
    return path


@pytest.fixture
def simulate(make_result, log):
    def run(chip, trace, *, images):
        with log.open("a") as file:
            file.write(f"{chip.array.rows} {chip.codec.name}\n")
        size = 1.0 if chip.codec.name == "raw" else 4 / chip.array.rows
        return make_result(size, codec=chip.codec.name)

    return run


def test_every_point_runs_once_and_results_are_in_the_order_of_the_grid(
    study, simulate, log, tmp_path
):
    result = sweep(study, tmp_path / "out", jobs=2, simulate=simulate)
    assert list(result.results) == list(range(8))
    assert [r.codec for r in result.results.values()] == ["raw", "zvc"] * 4
    assert set(Counter(log.read_text().splitlines()).values()) == {1}
    assert len(log.read_text().splitlines()) == 8


def test_a_second_sweep_runs_nothing(study, simulate, log, tmp_path):
    first = sweep(study, tmp_path / "out", jobs=2, simulate=simulate)
    log.write_text("")
    second = sweep(study, tmp_path / "out", jobs=1, simulate=simulate)
    assert log.read_text() == ""
    assert second.n_reused == 8
    assert second.results == first.results


def test_a_larger_study_runs_only_its_new_points(study, simulate, log, tmp_path):
    sweep(study, tmp_path / "out", jobs=2, simulate=simulate)
    log.write_text("")
    study.write_text(STUDY.replace("[4, 8, 16, 32]", "[64, 4, 8, 16, 32]"))
    result = sweep(study, tmp_path / "out", jobs=2, simulate=simulate)
    assert sorted(log.read_text().splitlines()) == ["64 raw", "64 zvc"]
    assert len(result.results) == 10


def test_the_table_does_not_depend_on_the_number_of_processes(study, make_result, tmp_path):
    def simulate(chip, trace, *, images):
        time.sleep(0.02 * (hash((chip.array.rows, chip.codec.name)) % 5))
        return make_result(1 / chip.array.rows, codec=chip.codec.name)

    tables = []
    for jobs in (1, 3):
        result = sweep(study, tmp_path / f"out{jobs}", jobs=jobs, simulate=simulate)
        export(result)
        tables.append((tmp_path / f"out{jobs}" / "points.csv").read_bytes())
    assert tables[0] == tables[1]
    assert tables[0].count(b"\n") == 9


def test_a_point_that_fails_stops_no_other_and_is_tried_again(study, simulate, log, tmp_path):
    def failing(chip, trace, *, images):
        if chip.array.rows == 8:
            raise MappingError("conv1", "needs 9 KiB of psums", "raise buffers.ofmap_kib")
        if chip.array.rows == 16 and chip.codec.name == "raw":
            raise ZeroDivisionError("a bug")
        return simulate(chip, trace, images=images)

    result = sweep(study, tmp_path / "out", jobs=2, simulate=failing)
    assert sorted(result.results) == [0, 1, 5, 6, 7]
    assert "raise buffers.ofmap_kib" in result.failed[2]
    assert result.failed[4] == "internal error: ZeroDivisionError: a bug"
    table = result.rows()
    assert [row["error"] is None for row in table] == [i not in (2, 3, 4) for i in range(8)]
    log.write_text("")
    mended = sweep(study, tmp_path / "out", jobs=2, simulate=simulate)
    assert sorted(log.read_text().splitlines()) == ["16 raw", "8 raw", "8 zvc"]
    assert not mended.failed


def test_a_worker_that_is_killed_costs_its_own_point_only(study, simulate, tmp_path):
    def deadly(chip, trace, *, images):
        if chip.array.rows == 16 and chip.codec.name == "zvc":
            os.kill(os.getpid(), signal.SIGKILL)
        return simulate(chip, trace, images=images)

    result = sweep(study, tmp_path / "out", jobs=2, simulate=deadly)
    assert sorted(result.results) == [0, 1, 2, 3, 4, 6, 7]
    assert result.failed == {5: "its process was killed: out of memory?"}


def test_workers_killed_at_any_moment_stop_nobody(study, simulate, tmp_path):
    """Also while they write a large result: a lock that they held then would be held forever."""

    def deadly(chip, trace, *, images):
        if chip.codec.name == "zvc":
            threading.Timer(0.002, os.kill, (os.getpid(), signal.SIGKILL)).start()
        result = simulate(chip, trace, images=images)
        return replace(result, notes=("x" * 1000,) * 2_000)

    for _ in range(3):
        result = sweep(study, tmp_path / "out", jobs=3, simulate=deadly)
        assert len(result.results) + len(result.failed) == 8
        assert set(result.failed.values()) <= {"its process was killed: out of memory?"}
        assert {0, 2, 4, 6} <= result.results.keys(), "the raw points, which nobody kills"


def test_a_worker_that_cannot_begin_says_why(study, tmp_path):
    def broken():
        raise MappingError("trace", "is gone", "bring it back")

    points = make_points(read_study(study), "ab", lambda _: {})
    outcomes = list(run_local(points[:3], broken, 2))
    assert [outcome.error for outcome in outcomes] == ["trace: is gone\n  fix: bring it back"] * 3


def test_progress_counts_up_to_all_points(study, simulate, tmp_path):
    seen = []
    sweep(study, tmp_path / "out", jobs=1, progress=seen.append, simulate=simulate)
    assert [p.n_finished for p in seen] == list(range(9))
    assert {p.n_points for p in seen} == {8}


def test_an_interrupted_sweep_keeps_what_it_has_and_goes_on(study, simulate, log, tmp_path):
    def interrupt(progress):
        if progress.n_finished == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study, tmp_path / "out", jobs=1, progress=interrupt, simulate=simulate)
    log.write_text("")
    result = sweep(study, tmp_path / "out", jobs=1, simulate=simulate)
    assert result.n_reused == 3
    assert len(log.read_text().splitlines()) == 5
    assert len(result.results) == 8


SCRIPT = """\
    import importlib.util, sys, time
    from pathlib import Path
    from accelsim.sweeps.run import sweep

    spec = importlib.util.spec_from_file_location("made_up", sys.argv[1])
    made_up = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made_up)
    folder = Path(sys.argv[2])

    def simulate(chip, trace, *, images):
        time.sleep(60 if chip.array.rows == 32 else 0.05)
        return made_up.two_layers(codec=chip.codec.name)

    def progress(report):
        (folder / "finished.txt").write_text(str(report.n_finished))

    sweep(folder / "sizes.yaml", folder / "out", 2, progress, simulate=simulate)
    """


def start(tmp_path, made_up):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(made_up), str(tmp_path)]
    return subprocess.Popen(command, start_new_session=True)


def members(session):
    """Processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, its_session = stat.read_text().rsplit(")", 1)[1].split()[:4]
            if int(its_session) == session and state != "Z":
                found.append(stat.parent.name)
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
def test_kill_minus_nine_loses_no_finished_point_and_leaves_no_worker(
    study, simulate, log, tmp_path, request
):
    finished = tmp_path / "finished.txt"
    finished.touch()
    process = start(tmp_path, request.config.rootpath / "tests" / "conftest.py")
    deadline = time.monotonic() + 30
    while (finished.read_text() or "0") < "3" and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not members(process.pid)

    result = sweep(study, tmp_path / "out", jobs=2, simulate=simulate)
    assert 3 <= int(finished.read_text() or 3) <= result.n_reused < 8
    assert len(log.read_text().splitlines()) == 8 - result.n_reused
    assert len(result.results) == 8


def test_the_parquet_file_holds_the_table(study, simulate, tmp_path):
    polars = pytest.importorskip("polars")
    result = sweep(study, tmp_path / "out", jobs=1, simulate=simulate)
    written = export(result)
    assert [path.name for path in written] == ["points.csv", "points.parquet"]
    frame = polars.read_parquet(written[1])
    assert frame["array.rows"].to_list() == [4, 4, 8, 8, 16, 16, 32, 32]
    energy = [r.totals.energy_pj["total"] for r in result.results.values()]
    assert frame["energy_pj.total"].to_list() == energy


def test_no_column_of_the_parquet_file_is_without_a_type(study, simulate, tmp_path):
    """Of one image there is no steady state, and no point failed: columns without a value."""
    polars = pytest.importorskip("polars")
    study.write_text(STUDY.replace("[raw, zvc]", "[raw, zvc]\n  codec.block: [null]"))
    result = sweep(study, tmp_path / "out", jobs=1, simulate=simulate)
    schema = polars.read_parquet(export(result)[1]).schema
    assert [name for name, kind in schema.items() if kind == polars.Null] == []
    assert schema["images_per_second"] == polars.Float64
    assert schema["error"] == schema["codec.block"] == polars.String


def test_a_full_disk_is_said_of_the_parquet_file_too(study, simulate, tmp_path, monkeypatch):
    pytest.importorskip("polars")
    result = sweep(study, tmp_path / "out", jobs=1, simulate=simulate)

    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"points\.parquet: cannot write: No space left on device"):
        export(result)
    assert not (tmp_path / "out" / "points.parquet").exists()


def test_a_sweep_is_a_line_in_the_shell_and_its_front_in_a_notebook(study, simulate, tmp_path):
    result = sweep(study, tmp_path / "out", jobs=1, simulate=simulate)
    assert repr(result) == "<SweepResult of sizes: 8 points>"
    assert str(result) == result.table().plain()
    assert result._repr_html_().startswith("<table>")
    assert len(result.rows()) == 8
