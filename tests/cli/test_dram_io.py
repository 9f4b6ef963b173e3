"""``dram io`` from the command line."""

import json

PAIR = "ddr4_2400_x16,ddr4_2400_x16:dbi=on"


def test_memories_and_codecs_are_compared(accelsim, trace, tmp_path):
    done = accelsim("dram", "io", "edge_npu", trace, "--memories", PAIR, "--json")
    found = json.loads(done.out)["memories"]
    plain, inverted = (found[memory]["codecs"]["raw"] for memory in PAIR.split(","))
    assert inverted["dram"] == plain["dram"]
    assert inverted["energy_pj"]["dram_io"] < plain["energy_pj"]["dram_io"]
    shown = accelsim("dram", "io", "edge_npu", trace, "--out", tmp_path / "out")
    assert "lpddr5_6400_x16" in shown.out and "I/O saved" in shown.out
    # One of a data sheet with measured shares, one with shares of other memories.
    assert "known in different ways" not in done.err
    assert "ddr4_2400_x16: data sheet; lpddr5_6400_x16: partly assumed" in shown.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"result.json", "table.txt", "io.csv", "plot.png"}
    header, *rows = (tmp_path / "out" / "io.csv").read_text().splitlines()
    assert header.startswith("memory,codec,") and "bus.read_costly_bits" in header
    assert len(rows) == 4


def test_a_run_shows_its_pins(accelsim, trace, tmp_path):
    shown = accelsim("run", "edge_npu", trace, "--out", tmp_path).out
    assert "data pins: of 100 bits moved," in shown
    assert "DRAM I/O: priced by the zeros and toggles of the data" in shown
    assert "bus.written_toggles" in (tmp_path / "layers.csv").read_text().splitlines()[0]
    totals = json.loads((tmp_path / "result.json").read_text())["totals"]
    assert totals["bus"]["read_costly_bits"] > 0
    compared = accelsim("compare", "edge_npu", trace, "--codecs", "raw,zvc").out
    assert "costly" in compared and "toggle" in compared


def test_mistakes_say_how_to_mend_them(accelsim, trace):
    for memories, said in (
        ("ddr4_2400_x16:speed=2", "write NAME, or NAME:dbi=on"),
        ("ddr4_2400_x61", "Did you mean"),
        ("ddr3l_1600_x64:dbi=on", "has no inversion"),
        ("ddr4_2400_x16,,", "has an empty or repeated name"),
    ):
        done = accelsim("dram", "io", "edge_npu", trace, "--memories", memories)
        assert done.code == 2 and said in done.err
