"""The commands: JSON with the contract's keys, tables, and what --out holds."""

import json
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import accelsim as package
from accelsim import read_hardware
from accelsim.results.json_form import read_result


def test_run_json_is_the_contract_and_nothing_else(accelsim, trace):
    said = accelsim("run", "edge_npu", trace, "--codec", "zvc", "--json")
    assert said.code == 0
    result = json.loads(said.out)
    assert (result["hardware"], result["trace"], result["codec"]) == ("edge_npu", "tiny", "zvc")
    totals = result["totals"]
    # 10 x 10 outputs x 8 channels x 36 products, and 8 x 8 x 8 x 72.
    assert totals["macs"] == 800 * 36 + 512 * 72
    assert [layer["macs"] for layer in result["layers"]] == [28800, 36864]
    work = totals["compute_cycles"] + totals["vector_cycles"]
    assert totals["cycles"] == work + sum(totals["stall_cycles"].values())
    dram = totals["dram"]
    assert dram["read_bytes"] + dram["written_bytes"] == dram["fetched_bytes"]
    assert totals["images_per_second"] is None


def test_a_run_is_the_same_every_time(accelsim, trace):
    first = accelsim("run", "edge_npu", trace, "--codec", "huffman", "--json")
    second = accelsim("run", "edge_npu", trace, "--codec", "huffman", "--json")
    assert first.out == second.out


def test_a_result_is_priced_again_without_its_trace(accelsim, trace, tmp_path):
    first = accelsim("run", "edge_npu", trace, "--json", "--out", tmp_path)
    again = accelsim("price", tmp_path / "result.json", "--json")
    assert (again.code, again.out) == (0, first.out)
    priced = ("price", tmp_path / "result.json", "--set")
    assert accelsim(*priced, "energy.mode=max", "--out", tmp_path / "max").code == 0
    written = read_result(tmp_path / "max" / "result.json")
    assert written.config["energy"]["mode"] == "max"
    refused = accelsim(*priced, "array.rows=4")
    assert refused.code == 2 and "run it again" in refused.err


def test_an_override_changes_the_chip_and_is_remembered(accelsim, trace):
    said = accelsim("run", "edge_npu", trace, "--set", "array.rows=8", "--json")
    assert json.loads(said.out)["config"]["array"]["rows"] == 8


def test_images_give_a_steady_state(accelsim, trace):
    said = accelsim("run", "edge_npu", trace, "--images", 2, "--json")
    totals = json.loads(said.out)["totals"]
    assert totals["images_per_second"] > 0
    assert totals["images_per_second_cold"] == pytest.approx(2 / totals["seconds"])


def test_run_writes_its_folder(accelsim, trace, tmp_path):
    said = accelsim("run", "edge_npu", trace, "--out", tmp_path / "out")
    assert said.code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"result.json", "table.txt", "layers.csv", "plot.png"}
    assert read_result(tmp_path / "out" / "result.json").trace == "tiny"
    assert (tmp_path / "out" / "table.txt").read_text().strip() == said.out.strip()


def test_a_dram_trace_holds_every_burst(accelsim, trace, tmp_path):
    said = accelsim("run", "edge_npu", trace, "--dram-trace", tmp_path / "dram.trc", "--json")
    lines = (tmp_path / "dram.trc").read_text().splitlines()
    fetched = json.loads(said.out)["totals"]["dram"]["fetched_bytes"]
    assert len(lines) * 16 == fetched  # one chip of 16 pins: 16-byte bursts


@pytest.mark.parametrize(
    ("name", "form", "first"),
    [
        ("t.trc", (), "0x"),
        ("t.npz", (), None),
        ("t.txt", ("--dram-trace-form", "load_store"), "LD 0x"),
        ("t.txt.gz", ("--dram-trace-form", "read_write"), None),
    ],
)
def test_the_traffic_of_a_run_can_be_replayed_in_every_form(
    accelsim, trace, tmp_path, name, form, first
):
    traffic = tmp_path / name
    said = accelsim("run", "edge_npu", trace, "--dram-trace", traffic, *form, "--json")
    fetched = json.loads(said.out)["totals"]["dram"]["fetched_bytes"]
    if first:
        assert traffic.read_text().startswith(first)
    machine = Path(__file__).parents[2] / "hw_configs" / "edge_npu.yaml"
    said = accelsim("dram", "replay", "--config", machine, "--trace", traffic, "--json")
    assert json.loads(said.out)["requests"] * 16 == fetched


def test_compare_json_has_the_totals_of_each_codec(accelsim, trace):
    said = accelsim("compare", "edge_npu", trace, "--codecs", "raw,zvc", "--json")
    compared = json.loads(said.out)
    assert list(compared["codecs"]) == ["raw", "zvc"]
    alone = accelsim("run", "edge_npu", trace, "--codec", "zvc", "--json")
    assert compared["codecs"]["zvc"] == json.loads(alone.out)["totals"]


def test_several_traces_are_ranked_together(accelsim, trace, topology, tmp_path):
    other = tmp_path / "other.h5"
    synth = ("--topology", topology, "--density", 0.2, "--entropy", 1.0, "--seed", 2)
    assert accelsim("trace", "synth", *synth, "--images", 2, "--out", other).code == 0
    with h5py.File(other) as file:
        name = json.loads(bytes(file["document"][:]))["name"]
    assert name == "tiny"  # both are named after the topology
    said = accelsim("compare", "edge_npu", trace, other, "--codecs", "raw,zvc")
    assert said.code == 2 and "two traces have the same name" in said.err
    named = ("compare", "edge_npu", trace, "squeezenet1_1", "--codecs", "raw")
    compared = json.loads(accelsim(*named, "--json").out)
    assert [each["trace"] for each in compared["traces"]] == ["tiny", "squeezenet1_1"]
    assert list(compared["traces"][0]["codecs"]) == ["raw"]
    assert accelsim(*named, "--out", tmp_path / "out").code == 0
    assert {p.name for p in (tmp_path / "out" / "runs").iterdir()} == {
        "tiny_raw.json",
        "squeezenet1_1_raw.json",
    }


def test_compare_writes_its_folder(accelsim, trace, tmp_path):
    accelsim("compare", "edge_npu", trace, "--codecs", "raw,zvc", "--out", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    pictures = {"plot.png", "pareto.png"}
    assert names == {"result.json", "table.txt", "compare.csv", "runs"} | pictures
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"raw.json", "zvc.json"}


def test_sweep_runs_a_study_and_then_nothing(accelsim, trace, tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(
        f"hardware: edge_npu\ntrace: {trace}\n"
        "vary: {codec.name: [raw, zvc], array.rows: [8, 16]}\n"
    )
    first = accelsim("sweep", study, "--jobs", 2, "--out", tmp_path / "out")
    assert first.code == 0, first.err
    assert "4 points, 0 of an earlier sweep" in first.out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"ledger.sqlite", "points.csv", "plot.png"}
    table = (tmp_path / "out" / "points.csv").read_bytes()
    second = accelsim("sweep", study, "--jobs", 1, "--out", tmp_path / "out")
    assert "4 points, 4 of an earlier sweep" in second.out
    assert (tmp_path / "out" / "points.csv").read_bytes() == table


def test_sweep_says_which_points_failed(accelsim, trace, tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(
        f"hardware: edge_npu\ntrace: {trace}\nvary: {{codec.name: [raw, zvc]}}\nimages: 3\n"
    )
    said = accelsim("sweep", study, "--jobs", 1, "--out", tmp_path / "out")
    assert said.code == 2
    assert "point 0 failed" in said.err
    assert "Traceback" not in said.err


def test_measured_zvc_is_a_mask_and_the_values(accelsim, tmp_path):
    values = np.array([0, 0, 7, 0, 9, 0], np.uint8)
    np.savez(tmp_path / "x.npz", a=values, b=values[:4])
    said = accelsim("codecs", "measure", tmp_path / "x.npz", "--codec", "zvc", "--json")
    arrays = json.loads(said.out)["arrays"]
    assert list(arrays) == ["a", "b"]
    assert arrays["a"]["stream_bits"] == 6 + 2 * 8
    assert arrays["b"]["bits_per_value"] == (4 + 8) / 4
    assert set(arrays["a"]) == {
        "values", "density", "entropy_bits", "huffman_bits", "stream_bits", "side_bits",
        "bits_per_value", "lossless", "mse", "word_bits",
        "fetched_bits", "blocks", "block_bits_p50", "block_bits_p99", "block_bits_max",
        "reconstruction",
    }  # fmt: skip


def test_replay_counts_one_read(accelsim, tmp_path):
    (tmp_path / "x.trc").write_text("0x40 READ 0\n")
    said = accelsim(
        "dram", "replay", "--config", "ddr4_2400_x16", "--trace", tmp_path / "x.trc",
        "--commands", tmp_path / "c.csv", "--json",
    )  # fmt: skip
    counts = json.loads(said.out)
    assert (counts["requests"], counts["reads"], counts["activates"]) == (1, 1, 1)
    assert set(counts["energy_pj"]) == {
        "activate", "read", "write", "refresh", "active_standby", "precharge_standby",
        "active_power_down", "precharge_power_down", "self_refresh", "total",
    }  # fmt: skip
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[0] == "cycle,command,channel,rank,bankgroup,bank,row,col"
    assert [line.split(",")[1].lower() for line in lines[1:]] == ["activate", "read"]


def test_check_says_which_rule_a_command_breaks(accelsim, tmp_path):
    good = "cycle,command,channel,rank,bankgroup,bank,row,col\n2,activate,0,0,0,2,0,0\n"
    path = tmp_path / "c.csv"
    check = ("dram", "check", path, "--dram", "ddr4_2400_x16")
    path.write_text(good + "19,read,0,0,0,2,0,0\n")
    for level in ("model", "jedec"):
        said = accelsim(*check, "--level", level)
        assert (said.code, said.err) == (0, "")
        assert said.out == f"{path}: all 2 commands are legal at level {level}\n"
    # Reads 16 cycles after their ACT (tRCD is 17), and 5 after another (tCCD_L is 6).
    path.write_text(good + "18,read,0,0,0,2,0,0\n23,read,0,0,0,2,0,0\n")
    said = accelsim(*check)
    assert said.code == 1
    assert said.out == (
        f"{path}:3: cycle 18: RD of channel 0, rank 0, bank group 0, bank 2 comes 16 cycles "
        "after ACT in cycle 2; tRCD is at least 17, line 2\n"
    )
    said = accelsim(*check, "--all")
    assert (said.code, said.out.count("\n")) == (1, 2)
    report = json.loads(accelsim(*check, "--all", "--json").out)
    assert (report["level"], report["commands"], report["legal"]) == ("model", 3, False)
    rcd, ccd = report["violations"]
    assert (rcd["rule"], rcd["required_cycles"], rcd["actual_cycles"]) == ("tRCD", 17, 16)
    assert (ccd["rule"], ccd["first"]["cycle"], ccd["second"]["cycle"]) == ("tCCD_L", 18, 23)


def test_a_memory_is_exported_as_dramsim3_reads_it(accelsim, tmp_path):
    out = tmp_path / "sub" / "memory.ini"
    said = accelsim("dram", "export", "lpddr4_3200_x16", "--out", out)
    assert (said.code, said.out) == (0, "")
    assert "not held by the file: rails VDD1" in said.err
    assert accelsim("dram", "export", out).out.endswith(out.read_text().partition("[")[2])
    (tmp_path / "x.trc").write_text("0x40 READ 0\n")
    replay = ("dram", "replay", "--trace", tmp_path / "x.trc", "--json")
    cycles = [
        json.loads(accelsim(*replay, "--config", config).out)["cycles"]
        for config in ("lpddr4_3200_x16", out)
    ]
    assert cycles[0] == cycles[1]


def test_a_machine_is_a_memory_too(accelsim):
    yaml = Path(__file__).parents[2] / "hw_configs" / "tpu_like.yaml"
    said = accelsim("dram", "export", yaml)
    assert said.code == 0
    memory = read_hardware(yaml).dram.config
    assert f"channels = {memory.organisation.channels}\n" in said.out
    assert f"address_mapping = {memory.controller.address_map}\n" in said.out


@pytest.mark.parametrize(
    ("tokens", "word"),
    [
        (("codecs", "list"), "huffman"),
        (("dram", "list"), "ddr4_2400_x16"),
        (("dram", "list", "--energy", "max"), "max energy"),
        (("dram", "show", "ddr5_4800_x32"), "timing.tCCD_L_WR"),
        (("hw", "list"), "edge_npu"),
        (("hw", "show", "edge_npu"), "buffers.ifmap_kib"),
        (("hw", "check", "edge_npu"), "a valid chip"),
        (("--version",), package.__version__),
        (("run", "--help"), "--dram-trace"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_list_names_what_there_is(accelsim, tokens, word):
    said = accelsim(*tokens)
    assert said.code == 0
    assert word in said.out
    assert said.err == ""


def test_hw_check_finds_all_errors_at_once(accelsim, tmp_path):
    path = tmp_path / "chip.yaml"
    path.write_text("core: {clock_mhz: -1}\narray: {rowz: 2}\n")
    said = accelsim("hw", "check", path)
    assert said.code == 2
    assert "clock_mhz" in said.out
    assert "rowz" in said.out


def test_the_schema_is_json_with_units_in_its_keys(accelsim):
    schema = json.loads(accelsim("hw", "schema").out)
    assert "$schema" in schema


def test_dram_show_json_has_value_unit_time_and_source(accelsim):
    values = json.loads(accelsim("dram", "show", "ddr4_3200_x64", "--json").out)
    window = values["timing.tFAW"]
    assert (window["value"], window["unit"], window["nanoseconds"]) == (34, "cycles", 21.25)
    assert "JESD79-4" in window["source"]


def test_dram_show_of_an_unknown_memory_names_the_nearest(accelsim):
    said = accelsim("dram", "show", "hbm3")
    assert said.code == 2
    assert "hbm3_6400_x32" in said.err


def test_hw_show_has_resolved_values_in_lines_that_fit(accelsim):
    shown = accelsim("hw", "show", "edge_npu", "--set", "codec.name=huffman").out.splitlines()
    assert max(map(len, shown)) <= 100
    values = dict(line.split(None, 1) for line in shown[2:] if line and line[0] != " ")
    # A Huffman lane codes a value a cycle, the array takes 16.
    assert values["codec.lanes"] == "16 lanes"
    assert values["codec.block"] == "16 x 1 x 64 channels, rows, cols"
    assert values["array.fold_overlap"] == "true"


def test_hw_show_json_can_be_read_as_a_hardware_file(accelsim, tmp_path):
    said = accelsim("hw", "show", "edge_npu", "--json")
    (tmp_path / "again.yaml").write_text(said.out)
    again = accelsim("hw", "show", tmp_path / "again.yaml", "--json")
    assert json.loads(again.out) == json.loads(said.out)


def test_trace_info_lists_layers_and_entropy(accelsim, trace):
    said = accelsim("trace", "info", trace, "--json")
    info = json.loads(said.out)
    assert [layer["name"] for layer in info["layers"]] == ["conv1", "conv2"]
    assert info["macs"] == 28800 + 36864
    assert "conv2" in accelsim("trace", "info", trace).out


def test_help_loads_nothing_heavy_and_is_quick():
    code = (
        "import sys; from accelsim.cli.app import main; main(['--help']);"
        "heavy = {'numpy', 'numba', 'h5py', 'matplotlib', 'pydantic'} & {*sys.modules};"
        "sys.exit(' '.join(heavy) or None)"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # 0.4 s on a quiet machine; a loaded one must not fail the test.
    assert time.monotonic() - start < 5


def test_nothing_but_json_is_on_stdout_even_when_there_are_warnings(accelsim, tmp_path, trace):
    said = accelsim("compare", "edge_npu", trace, "--codecs", "zvc", "--json")
    assert said.code == 0
    assert list(json.loads(said.out)["codecs"]) == ["zvc"]


def test_codecs_list_as_json_says_what_each_costs_and_how_well_it_is_known(accelsim):
    facts = json.loads(accelsim("codecs", "list", "--json").out)
    assert facts["teco"]["reconstruction"] and not facts["ebpc"]["reconstruction"]
    assert facts["ebpc"]["needs"] == ["two_streams"]
    assert facts["zvc"]["worst_expansion"] == 1.125
    assert facts["huffman"]["table_load_cycles"] == 256 * 4 / 16
    assert facts["ebpc"]["hardware"]["gates_kge"] == pytest.approx(2.8 + 3.0)
    assert facts["jpeg_act"]["block"] == [16, 8, 8]


def test_several_codecs_are_measured_side_by_side_fewest_bits_first(accelsim, tmp_path):
    values = np.zeros((16, 8, 8), np.uint8)
    values[:, ::2] = 7
    np.save(tmp_path / "x.npy", values)
    np.savez(tmp_path / "y.npz", x=values, wide=values.astype(np.uint16))
    said = accelsim(
        "codecs", "measure", tmp_path / "x.npy", "--codec", "raw,zvc,csc", "--out", tmp_path / "out"
    )
    rows = [line.split()[0] for line in said.out.splitlines()[4:7]]
    assert rows == ["zvc", "csc", "raw"]  # 1 + 8 / 2 bits, 12 / 2, 8
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "measures.csv", "table.txt", "plot.png",
    }  # fmt: skip
    both = accelsim("codecs", "measure", tmp_path / "y.npz", "--codec", "raw,spark", "--json")
    codecs = json.loads(both.out)["codecs"]
    assert (list(codecs["raw"]), list(codecs["spark"])) == (["x", "wide"], ["x"])
    alone = accelsim("codecs", "measure", tmp_path / "y.npz", "--codec", "spark")
    assert alone.code == 2 and "words of 2 to 8 bits" in alone.err
    table = accelsim("codecs", "measure", tmp_path / "y.npz", "--codec", "raw,spark").out
    assert "spark: cannot code 1 of the arrays" in table


def test_weights_of_a_trace_are_measured_in_tiles(accelsim):
    said = accelsim(
        "codecs", "measure", "fmnist_resnet8_q8", "--tensor", "weights",
        "--codec", "raw,zvc,spark", "--block", "16x8x3x3", "--json",
    )  # fmt: skip
    codecs = json.loads(said.out)["codecs"]
    assert codecs["spark"] == {} and list(codecs["raw"]) == list(codecs["zvc"])
    # 32 x 16 x 3 x 3 weights of 8 bits: half of the channels each way.
    assert codecs["raw"]["blocks/1/conv1"]["blocks"] == 4
    assert codecs["raw"]["blocks/1/conv1"]["block_bits_max"] == 16 * 8 * 9 * 8


def test_blocks_are_values_or_channels_rows_and_columns(accelsim, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 6, 6), np.uint8))
    for block, n_blocks in (("36", 4), ("2x3x6", 4), ("4x6x4", 2)):
        said = accelsim(
            "codecs", "measure", tmp_path / "x.npy", "--codec", "zvc", "--block", block, "--json"
        )
        assert json.loads(said.out)["arrays"]["x"]["blocks"] == n_blocks
    for wrong in ("0", "2x3", "axbxc", "0x1x1"):
        said = accelsim("codecs", "measure", tmp_path / "x.npy", "--codec", "zvc", "--block", wrong)
        assert said.code == 2 and "--block" in said.err
