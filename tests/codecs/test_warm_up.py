"""After warming up, real work compiles nothing more."""

import subprocess
import sys

CODE = """
from importlib import import_module
from pkgutil import walk_packages

import numpy as np
import accelsim.codecs
from accelsim.codecs.base import CODECS, Word
from accelsim.jit.parts import Part

names = [m.name for m in walk_packages(accelsim.codecs.__path__, "accelsim.codecs.")]
modules = [import_module(name) for name in names]
def is_kernel(value):
    return hasattr(value, "py_func") and not isinstance(value, Part)

kernels = {id(k): k for m in modules for k in vars(m).values() if is_kernel(k)}
with_kernels = [m for m in modules if any(k.py_func.__module__ == m.__name__
                for k in vars(m).values() if is_kernel(k))]
for module in with_kernels:
    module.warm_up()
before = {k.py_func.__qualname__: len(k.signatures) for k in kernels.values()}

from accelsim.codecs.contract import variants
from accelsim.codecs.measure import measure_map
from accelsim.codecs.measure_file import Cutting, measure_array
for word in (Word(8), Word(8, True), Word(16), Word(12, True)):
    values = np.arange(64).reshape(4, 4, 4).astype(word.dtype)
    values.setflags(write=False)
    for name in CODECS:
        for codec in variants(CODECS[name], word):  # none where a codec refuses the word
            measure_map(values, codec.fit(values, every_symbol=True), (4, 2, 2), "hwc")
            measure_array(values, codec, Cutting(10, True))
after = {k.py_func.__qualname__: len(k.signatures) for k in kernels.values()}
assert len(with_kernels) >= 7 and before == after, (before, after)
"""


def test_real_work_compiles_nothing_after_warm_up() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
