"""The command ``accelsim``: its subcommands, and its messages when something goes wrong.

Subcommands are given as import paths, so that `--help` loads none of them.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from errno import ENOSPC
from pickle import UnpicklingError

from cyclopts import App, CycloptsError

from accelsim import kernel_cache
from accelsim.cli.console import fail
from accelsim.errors import AccelsimError
from accelsim.version import __version__

USER_ERROR = 2
"""Also used for interruptions, so that scripts have one code to look for."""

HELP = """\
What compressing feature maps saves on a CNN accelerator: cycles, bandwidth, energy.

A first answer:
`accelsim compare edge_npu squeezenet1_1 squeezenet1_1_cat --codecs raw,zvc,huffman`
"""


def make_app() -> App:
    """The tree of commands; a command's module is imported when it is called."""
    app = App(
        name="accelsim",
        help=HELP,
        version=__version__,
        suppress_keyboard_interrupt=False,
    )
    here = "accelsim.cli"
    app.command(f"{here}.run:run", name="run", help="Simulate one network on one chip.")
    app.command(f"{here}.compare:compare", name="compare", help="Rank several codecs on one chip.")
    app.command(f"{here}.sweep:sweep", name="sweep", help="Run a study of many design points.")
    app.command(
        f"{here}.price:price", name="price", help="Price the counts of an old result again."
    )
    app.command(f"{here}.docs:docs", name="docs", help="Show the documentation.")
    app.command(f"{here}.warm_up:warm_up", name="warm-up", help="Compile the kernels in advance.")
    groups = {
        "codecs": ("Compression formats for feature maps.", ("list", "measure")),
        "dram": (
            "DRAM: standards, replay, checks, energy.",
            ("list", "show", "replay", "check", "characterise", "io", "export"),
        ),
        "hw": ("Hardware files, which describe chips.", ("list", "show", "check", "schema")),
        "trace": (
            "Traces: networks with their real tensors.",
            ("info", "import", "export", "synth"),
        ),
        "train": (
            "Train networks whose feature maps compress well (extra [train]).",
            ("cat", "distil", "float"),
        ),
    }
    helps = {
        "codecs list": "List every codec, its origin, and the cost of its hardware.",
        "codecs measure": "Encode the arrays of a file, and report their sizes.",
        "dram list": "List every memory: size, speed, energy per bit.",
        "dram characterise": "Measure bandwidth, latency and energy under several loads.",
        "dram io": "Compare the energy of the data on the pins of several memories, raw and coded.",
        "dram show": "Show every value of a memory: unit, nanoseconds, source.",
        "dram replay": "Replay a request trace, as DRAMsim3 or Ramulator does.",
        "dram check": "Check a trace of DRAM commands, and name the first rule that it breaks.",
        "dram export": "Write a memory as a DRAMsim3 .ini file.",
        "hw list": "List the chips that come with accelsim.",
        "hw show": "Show every key of a chip: value, unit, meaning, source.",
        "hw check": "Check a hardware file for errors and for unwise values.",
        "hw schema": "Print the JSON Schema of hardware files, for editors.",
        "trace info": "Show what a trace contains: layers, maps, density, entropy.",
        "trace import": "Import a network of your own (ONNX, torch) and write its trace.",
        "trace export": "Run a trained network and write its trace (extra [train]).",
        "trace synth": "Write a trace of random maps with given density and entropy.",
        "train cat": "Train a network to compress (compression-aware training).",
        "train distil": "Tune a real network to compress, on photographs without labels.",
        "train float": "Train the float network that `train cat` starts from.",
    }
    for group, (text, names) in groups.items():
        part = App(name=group, help=text)
        for name in names:
            part.command(f"{here}.{group}:{name}_{group}", name=name, help=helps[f"{group} {name}"])
        app.command(part)
    return app


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command line.

    The exit code is 0, or 1 if a check found something, or 2 for a user error or an interruption.
    """
    if sys.stdout is None:
        return fail("standard output is closed\n  fix: send it to /dev/null", USER_ERROR)
    try:
        code = make_app()(
            sys.argv[1:] if tokens is None else tokens,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        command = " ".join(["accelsim", *(error.command_chain or ())])
        return fail(f"{error}\n  fix: see `{command} --help`", USER_ERROR)
    except AccelsimError as error:
        return fail(str(error), USER_ERROR)
    except KeyboardInterrupt as interrupt:
        return fail(f"interrupted{interrupt}", USER_ERROR)
    except BrokenPipeError:
        # The reader of a pipe has closed it; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno != ENOSPC:
            return _internal_error(error)
        return fail(f"cannot write: {error.strerror}\n  fix: free space on the disk", USER_ERROR)
    except UnpicklingError:
        problem = f"{kernel_cache.kernel_folder()}: compiled kernels are damaged"
        return fail(f"{problem}\n  fix: delete that folder; they are compiled anew", USER_ERROR)
    except MemoryError:
        return fail("out of memory\n  fix: take a smaller trace or fewer jobs", USER_ERROR)
    except Exception as error:
        return _internal_error(error)


def _internal_error(error: Exception) -> int:
    if os.environ.get("ACCELSIM_DEBUG"):
        traceback.print_exception(error)
    problem = f"internal error: {type(error).__name__}: {error}".splitlines()[0]
    return fail(f"{problem}\n  fix: report it with the output of ACCELSIM_DEBUG=1", USER_ERROR)
