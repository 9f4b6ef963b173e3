"""Maps that stay on the chip: the search against every choice there is."""

from itertools import chain, combinations
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from accelsim.mapping.residency.choose import Life, Residency, choose

Graph = tuple[int, dict[int, Life], list[dict[frozenset[int], float]], list[int], int]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Stages with some maps; by stage what each kept map saves, and the room that it needs."""
    n_stages = draw(st.integers(1, 6))
    lives = {}
    for m in range(draw(st.integers(0, 6))):
        first = draw(st.integers(0, n_stages - 1))
        last = draw(st.integers(first, n_stages - 1))
        lives[m] = Life(first, last, draw(st.integers(0, 50)))
    saved = [{m: float(draw(st.integers(0, 9))) for m in lives} for _ in range(n_stages)]
    needs = [draw(st.integers(0, 60)) for _ in range(n_stages)]
    return n_stages, lives, saved, needs, draw(st.integers(0, 160))  # type: ignore[return-value]


def cost_of(graph: Graph, stage: int, kept: frozenset[int], room: int) -> float:
    """Less for every map that is held; twice as much where the large tile does not fit; and
    not at all where the small one does not."""
    _, _, saved, needs, _ = graph
    if room < needs[stage] // 4:
        return inf
    full = 100.0 - sum(saved[stage][m] for m in kept)  # type: ignore[index]
    return full if room >= needs[stage] else 2 * full


def by_trying_all(graph: Graph) -> float:
    n_stages, lives, _, _, capacity = graph
    best = inf
    for kept in chain.from_iterable(combinations(lives, n) for n in range(len(lives) + 1)):
        total = 0.0
        for stage in range(n_stages):
            held = frozenset(m for m in kept if lives[m].first <= stage <= lives[m].last)
            room = capacity - sum(lives[m].n_bytes for m in held)
            total += cost_of(graph, stage, held, room) if room >= 0 else inf
        best = min(best, total)
    return best


def found(graph: Graph, **most: int) -> Residency[int] | None:
    n_stages, lives, _, _, capacity = graph

    def cost(stage: int, kept: frozenset[int], room: int) -> float:
        return cost_of(graph, stage, kept, room)

    return choose(lives, n_stages, capacity, cost, **most)


@given(graphs())
def test_no_choice_is_cheaper(graph: Graph) -> None:
    choice, best = found(graph), by_trying_all(graph)
    assert (choice.cost if choice else inf) == best
    assert choice is None or choice.bound == choice.cost


@given(graphs())
def test_with_few_states_the_bound_holds_and_the_choice_is_possible(graph: Graph) -> None:
    choice, best = found(graph, most_states=1), by_trying_all(graph)
    if choice is not None and choice.cost < inf:
        assert choice.bound <= best <= choice.cost
        _, lives, _, _, capacity = graph
        for stage in range(graph[0]):
            held = [m for m in choice.kept if lives[m].first <= stage <= lives[m].last]
            assert sum(lives[m].n_bytes for m in held) <= capacity


def test_a_map_that_is_read_late_gives_way_to_several_short_ones() -> None:
    lives = {"long": Life(0, 3, 80), "a": Life(1, 2, 80), "b": Life(2, 3, 80)}

    def cost(stage: int, kept: frozenset[str], room: int) -> float:
        return 10.0 - 3 * len(kept & {"a", "b"}) - (stage in (0, 3)) * 2 * ("long" in kept)

    choice = choose(lives, 4, 100, cost)
    assert choice is not None
    assert choice.kept == {"a"} or choice.kept == {"b"}
    assert choose(lives, 4, 240, cost).kept == {"long", "a", "b"}  # type: ignore[union-attr]
