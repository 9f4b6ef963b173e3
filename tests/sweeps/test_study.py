"""Study files: the grid they describe, and what is said about bad ones."""

import textwrap

import pytest

from accelsim.errors import UserError
from accelsim.sweeps.points import make_points
from accelsim.sweeps.study import read_study


@pytest.fixture
def study(tmp_path):
    def write(text):
        path = tmp_path / "study.yaml"
        path.write_text(textwrap.dedent(text))
        return path

    return write


GOOD = """\
    hardware: edge_npu
    trace: squeezenet1_1
    set: {energy.mode: typical}
    vary:
      codec.name: [raw, zvc]
    linked:
      - buffers.ifmap_kib: [32, 64]
        buffers.weight_kib: [16, 48]
    """


def test_linked_keys_move_together_and_axes_multiply(study):
    grid = read_study(study(GOOD)).grid()
    assert [tuple(point.values()) for point in grid] == [
        ("typical", "raw", 32, 16),
        ("typical", "raw", 64, 48),
        ("typical", "zvc", 32, 16),
        ("typical", "zvc", 64, 48),
    ]


def test_points_carry_their_resolved_chip(study):
    points = make_points(read_study(study(GOOD)), "ab", lambda _: {"accelsim": "1"})
    assert [p.chip.codec.name for p in points] == ["raw", "raw", "zvc", "zvc"]
    assert [p.chip.buffers.weight_bytes for p in points] == [16384, 49152, 16384, 49152]
    assert len({p.key for p in points}) == 4


def test_a_key_depends_on_everything_that_decides_the_result(study):
    checked = read_study(study(GOOD))
    same = [p.key for p in make_points(checked, "ab", lambda _: {"accelsim": "1"})]
    assert same == [p.key for p in make_points(checked, "ab", lambda _: {"accelsim": "1"})]
    assert not set(same) & {p.key for p in make_points(checked, "cd", lambda _: {"accelsim": "1"})}
    assert not set(same) & {p.key for p in make_points(checked, "ab", lambda _: {"accelsim": "2"})}
    more = read_study(study(GOOD.replace("vary:", "images: 2\n    vary:")))
    assert not set(same) & {p.key for p in make_points(more, "ab", lambda _: {"accelsim": "1"})}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("vary:", "varry:", "unknown key 'varry'. Did you mean 'vary'?"),
        ("hardware: edge_npu", "", "has no 'hardware'"),
        ("[16, 48]", "[16]", "buffers.ifmap_kib has 2, buffers.weight_kib has 1"),
        ("buffers.weight_kib", "codec.name", "codec.name is given twice"),
        ("[raw, zvc]", "[]", "at least 1 item"),
        ("[raw, zvc]", "zvc", "should be a valid list"),
        (
            "[raw, zvc]",
            f"{[*range(300)]}\n      array.rows: {[*range(300)]}",
            "has 180,000 points",  # 300 x 300 x 2
        ),
        ("vary:", "images: 0\n    vary:", "greater than or equal to 1"),
        ("{energy.mode: typical}", "{energy.mode: typical", "study.yaml"),
    ],
)
def test_a_bad_study_is_refused_with_a_reason(study, old, new, sentence):
    with pytest.raises(UserError) as error:
        read_study(study(GOOD.replace(old, new)))
    assert sentence in str(error.value)
    assert "fix:" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("codec.name", "codec.nam", "codec.name"),
        ("[raw, zvc]", "[raw, zcv]", "Did you mean 'zvc'?"),
        ("[32, 64]", "[32, -64]", "point 1 "),
        ("edge_npu", "edge_npuu", "Did you mean 'edge_npu'?"),
    ],
)
def test_a_point_that_is_no_chip_is_found_before_any_runs(study, old, new, sentence):
    checked = read_study(study(GOOD.replace(old, new)))
    with pytest.raises(UserError) as error:
        make_points(checked, "ab", lambda _: {})
    assert sentence in str(error.value)


def test_files_beside_the_study_come_before_shipped_names(study, tmp_path):
    checked = read_study(study(GOOD))
    assert checked.find(checked.hardware) == "edge_npu"
    (tmp_path / "edge_npu").touch()
    assert checked.find(checked.hardware) == str(tmp_path / "edge_npu")
