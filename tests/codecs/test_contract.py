"""Every registered codec keeps the promises of the base class, compiled and uncompiled."""

import sys
from types import ModuleType

import numpy as np
import pytest

from accelsim.codecs import contract
from accelsim.codecs.base import CODECS, Word

each_codec = pytest.mark.parametrize("name", list(CODECS))


@each_codec
def test_the_codec_keeps_every_promise(name: str) -> None:
    contract.check_codec(CODECS[name])


@each_codec
def test_measured_sizes_equal_the_stream_on_thousands_of_blocks(name: str) -> None:
    for word in (Word(8), Word(8, signed=True), Word(16)):
        blocks = contract.join_blocks(list(contract.realistic(word, 2000, seed=7)), word)
        for codec in contract.variants(CODECS[name], word):
            contract.check_coding(codec.fit(blocks.values), blocks)


@each_codec
def test_plain_python_and_compiled_kernels_agree(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = Word(5, signed=True)
    blocks = contract.join_blocks(
        [*contract.adversarial(word), *contract.realistic(word, 5, seed=1)], word
    )
    for codec in contract.variants(CODECS[name], word):
        compiled = codec.fit(blocks.values).encode(blocks)
        with monkeypatch.context() as patch:
            # All of the package: kernels lie in shared modules, too, and in the coder of symbols.
            loaded = [m for n, m in sys.modules.items() if n.startswith("accelsim.codecs")]
            n_kernels = sum(uncompile(module, patch) for module in loaded)
            plain = codec.fit(blocks.values).encode(blocks)
            # Plain kernels raise IndexError where compiled ones would read elsewhere.
            contract.check_broken_streams(codec.fit(blocks.values), blocks, seed=2, n_trials=16)
            decoded = codec.fit(blocks.values).decode(compiled, blocks.sizes)
        assert n_kernels > 0
        np.testing.assert_array_equal(plain.payload, compiled.payload)
        np.testing.assert_array_equal(plain.offsets_bits, compiled.offsets_bits)
        expected = codec.fit(blocks.values).reconstruct_blocks(blocks)
        np.testing.assert_array_equal(decoded.values, expected)


def uncompile(module: ModuleType, patch: pytest.MonkeyPatch) -> int:
    kernels = {n: k for n, k in vars(module).items() if hasattr(k, "py_func")}
    for attribute, compiled in kernels.items():
        patch.setattr(module, attribute, compiled.py_func)
    return len(kernels)


@each_codec
def test_network_variants_keep_the_word(name: str) -> None:
    assert CODECS[name].for_network(Word(8)).word == Word(8)
    assert CODECS[name].for_word(Word(8)).name == name


@each_codec
def test_parameters_tell_words_and_tables_apart(name: str) -> None:
    kind = CODECS[name]
    described = {str(kind.for_word(w).parameters) for w in (Word(8), Word(8, True), Word(7))}
    assert len(described) == 3


@each_codec
def test_the_figures_of_the_hardware_name_their_source(name: str) -> None:
    hardware = CODECS[name].for_word(Word(8)).hardware
    assert len(hardware.source) > 10
    # A fraction where values pass twice, as through an encoder that first counts a block.
    assert hardware.encode_values_per_cycle > 0 and hardware.decode_values_per_cycle > 0
    assert min(hardware.encode_pj_per_value, hardware.decode_pj_per_value) >= 0
