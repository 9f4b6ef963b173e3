"""The type of arrays that kernels find by address: an index is never negative.

numba lets a signed index count from the end, which costs a shift, an AND and an addition for
each index of each access.
"""

from __future__ import annotations

import operator
from typing import Any, cast

from numba.core import cgutils, types
from numba.core.datamodel import models, registry
from numba.extending import lower_builtin
from numba.np import arrayobj

llvm, numpy_arrays = cast(Any, cgutils), cast(Any, arrayobj)


class AddressedArray(types.Array):
    """int64 in C order, indexed by as many integers as it has dimensions."""


registry.register_default(AddressedArray)(models.ArrayModel)


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """To the item that the first two arguments, an array and an index, say."""
    kind, index = signature.args[:2]
    kinds, parts = (index,), (arguments[1],)
    if isinstance(index, types.BaseTuple):
        kinds, parts = cast(Any, index).types, llvm.unpack_tuple(builder, arguments[1])
    if len(kinds) != kind.ndim:
        raise NotImplementedError("an array found by address gives items, no views")
    unsigned = [
        context.cast(builder, part, each, types.uintp)
        for each, part in zip(kinds, parts, strict=True)
    ]
    array = numpy_arrays.make_array(kind)(context, builder, arguments[0])
    return numpy_arrays.basic_indexing(
        context, builder, kind, array, [types.uintp] * kind.ndim, unsigned
    )[0]


def _get(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer = _pointer(context, builder, signature, arguments)
    return numpy_arrays.load_item(context, builder, signature.args[0], pointer)


def _set(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
    kind, _, given = signature.args
    pointer = _pointer(context, builder, signature, arguments)
    value = context.cast(builder, arguments[2], given, kind.dtype)
    numpy_arrays.store_item(context, builder, kind, value, pointer)


lower_builtin(operator.getitem, AddressedArray, types.Integer)(_get)
lower_builtin(operator.getitem, AddressedArray, types.BaseTuple)(_get)
lower_builtin(operator.setitem, AddressedArray, types.Any, types.Any)(_set)
