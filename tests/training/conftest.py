"""Small networks on one thread: more only wait for each other on a shared machine."""

from importlib.util import find_spec

if find_spec("torch"):
    import torch

    torch.set_num_threads(1)
