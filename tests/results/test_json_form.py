"""The JSON form: the keys of the contract, and back without loss."""

import json
from dataclasses import replace

import pytest

from accelsim.errors import UserError
from accelsim.results.json_form import (
    config_sha256,
    read_result,
    to_dict,
    to_json,
    write_result,
)

TOTAL_KEYS = {
    "cycles", "compute_cycles", "vector_cycles", "stall_cycles", "utilization", "macs",
    "skipped_macs", "seconds", "images_per_second", "images_per_second_cold", "dram",
    "bandwidth_gb_s", "bits_per_value", "energy_pj", "bus",
}  # fmt: skip
BYTE_KEYS = {
    "needed_bytes", "coded_bytes", "fetched_bytes", "overfetch_bytes", "index_bytes",
    "table_bytes", "padding_bytes", "read_bytes", "written_bytes", "fallback_blocks",
}  # fmt: skip
TOP_KEYS = {
    "hardware", "trace", "codec", "closed_loop", "accuracy", "totals", "layers", "versions",
    "config_sha256",
}  # fmt: skip


def test_the_keys_are_those_of_the_contract(make_result):
    result = json.loads(to_json(make_result()))
    assert set(result) >= TOP_KEYS
    assert set(result["totals"]) == TOTAL_KEYS
    assert set(result["totals"]["dram"]) == BYTE_KEYS | {"by_tensor", "bus_bytes"}
    assert set(result["totals"]["dram"]["by_tensor"]) == {"ifmap", "weight", "ofmap", "psum"}
    assert set(result["totals"]["dram"]["by_tensor"]["psum"]) == BYTE_KEYS
    assert set(result["totals"]["bits_per_value"]) == {"entropy", "huffman", "stream", "fetched"}
    assert list(result["layers"][0])[:3] == ["name", "kind", "bound"]
    assert set(result["layers"][0]) >= TOTAL_KEYS - {
        "images_per_second",
        "images_per_second_cold",
    }


def test_a_result_comes_back_as_it_was(make_result, tmp_path):
    result = make_result(0.37, images=3)
    write_result(result, tmp_path / "result.json")
    assert read_result(tmp_path / "result.json") == result


def test_equal_results_give_equal_bytes(make_result):
    assert to_json(make_result()) == to_json(make_result())


def test_writing_leaves_nothing_but_the_file(make_result, tmp_path):
    write_result(make_result(), tmp_path / "result.json")
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_a_number_that_json_does_not_know_is_refused(make_result):
    result = make_result()
    broken = replace(result, totals=replace(result.totals, bandwidth_gb_s=float("inf")))
    with pytest.raises(ValueError, match="JSON"):
        to_json(broken)


def test_the_hash_of_a_configuration_does_not_depend_on_the_order_of_its_keys():
    assert config_sha256({"a": 1, "b": {"c": 2, "d": 3}}) == config_sha256(
        {"b": {"d": 3, "c": 2}, "a": 1}
    )
    assert config_sha256({"a": 1}) != config_sha256({"a": 2})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "No such file or directory"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"{", "not a result of accelsim"),
        (b"{}", "hardware: field required"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path, content, sentence):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_result(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_key_deep_inside_is_named(make_result, tmp_path):
    whole = to_dict(make_result())
    del whole["totals"]["dram"]["by_tensor"]["psum"]["read_bytes"]
    path = tmp_path / "result.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(UserError, match=r"totals\.dram\.by_tensor\.psum\.read_bytes"):
        read_result(path)
