"""Parts of kernels: compiled into the kernels that call them, and never by themselves.

numba optimises each function with all that it calls, makes machine code of it, and wrappers
to call it from Python and from C. A part needs none of these: every one of its callers holds
all of it anyway. Here its code is only kept until a kernel takes it in, which optimises the
whole once.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher


class _PartLibrary(JITCodeLibrary):
    """The code of a part as it comes, without that of the parts that it calls."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True


class _WholeLibrary(JITCodeLibrary):
    """The code of a kernel with that of its parts, and of their parts."""

    def finalize(self) -> None:
        callees_first: dict[Any, None] = {}

        def add(library: Any) -> None:
            if library in callees_first:
                return
            if isinstance(library, _PartLibrary):
                for called in library._linking_libraries:
                    add(called)
            callees_first[library] = None

        for library in self._linking_libraries:
            add(library)
        # Only what is called by then is taken from a library.
        self._linking_libraries = list(reversed(callees_first))
        super().finalize()


class _StateLibrary(_WholeLibrary):
    """The code of a kernel without reference counts."""

    def _optimize_final_module(self) -> None:
        # numba optimises everything once before, to find counts that cancel out.
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class WholeCompiler(Compiler):
    """Compiles a kernel that may have parts."""

    def library(self) -> type[JITCodeLibrary]:
        return _WholeLibrary if self.state.flags.nrt else _StateLibrary

    def define_pipelines(self) -> Any:
        state = self.state
        state.library = self.library()(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().define_pipelines()


class PartCompiler(WholeCompiler):
    """Compiles a part, for the kernels that call it."""

    def library(self) -> type[JITCodeLibrary]:
        return _PartLibrary

    def compile_extra(self, function: Any) -> Any:
        self.state.flags.no_compile = True
        # numba's name for machine code that kernels call: there is none, and no need of it.
        result = super().compile_extra(function)._replace(entry_point=object())
        result.target_context.insert_user_function(
            result.entry_point, result.fndesc, [result.library]
        )
        return result


class Part(CPUDispatcher):
    """A function that kernels call. Called from Python it runs as the Python function it is."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Compiled once for all integers: the kernel that takes it in knows which are constant."""
        plain = {name: _plain(kind) for name, kind in kws.items()}
        return super().get_call_template(tuple(map(_plain, args)), plain)

    def add_overload(self, result: Any) -> None:
        """Known to kernels only: Python would call a function without machine code."""
        self.overloads[tuple(result.signature.args)] = result

    def _compile_for_args(self, *_: Any, **__: Any) -> Any:
        return self.py_func


def _plain(kind: Any) -> Any:
    """The type of a value without the value."""
    kind = types.unliteral(kind)
    return kind.dtype if isinstance(kind, types.IntEnumMember) else kind
