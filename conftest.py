"""What pytest collects, and how examples of properties are chosen."""

import os
from importlib.util import find_spec

from hypothesis import settings

# Doctests of training need torch, those of ONNX its runtime: both are extras.
collect_ignore_glob = [] if find_spec("torch") else ["accelsim/training/*"]
if not find_spec("onnxruntime"):
    collect_ignore_glob.append("accelsim/workload/importers/onnx/*")

# A change is judged on the same examples as the one before it. To look for others:
# `HYPOTHESIS_PROFILE=explore make test`.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
