"""Every shipped trace with constants holds exactly what its own integers compute."""

import numpy as np
import pytest

from accelsim.data_files import shipped
from accelsim.workload.replay import replay
from accelsim.workload.trace_file import read_trace

TRACES = sorted(p.stem for p in shipped("traces").glob("*.h5"))


@pytest.mark.parametrize("name", TRACES)
def test_every_map_follows_from_the_input_and_the_stored_constants(name: str) -> None:
    with read_trace(name) as trace:
        graph, image, constants = trace.graph, trace.facts.n_images - 1, trace.constants()
        if not constants:
            pytest.skip("holds the maps alone")
        inputs = {edge: trace.values(edge, image) for edge in graph.inputs}
        maps = replay(graph, constants, inputs)
        for edge in graph.edge:
            np.testing.assert_array_equal(maps[edge], trace.values(edge, image), err_msg=edge)
