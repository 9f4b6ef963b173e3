"""The front against its definition."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.sweeps.pareto import pareto_front


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12))
def test_a_point_is_on_the_front_if_no_other_is_better(pairs):
    results = {
        i: SimpleNamespace(
            images=1,
            totals=SimpleNamespace(
                energy_pj={"total": energy}, images_per_second=speed, images_per_second_cold=0
            ),
        )
        for i, (energy, speed) in enumerate(pairs)
    }
    expected = {
        i
        for i, (energy, speed) in enumerate(pairs)
        if not any(e <= energy and s >= speed and (e, s) != (energy, speed) for e, s in pairs)
    }
    front = pareto_front(results)
    assert set(front) == expected
    assert [pairs[i][0] for i in front] == sorted(pairs[i][0] for i in front)
