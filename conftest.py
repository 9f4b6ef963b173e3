"""What pytest collects, and how examples of properties are chosen."""

import os
from importlib.util import find_spec

from hypothesis import settings

# Doctests of training need torch, which is an extra.
collect_ignore_glob = [] if find_spec("torch") else ["accelsim/training/*"]

# A change is judged on the same examples as the one before it. To look for others:
# `HYPOTHESIS_PROFILE=explore make test`.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
