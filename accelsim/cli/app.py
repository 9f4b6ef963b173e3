"""The command ``accelsim``: its commands, and what it says when something goes wrong.

Commands are named as import paths, so that `--help` loads none of them.
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
"""Also when interrupted: scripts have one code to look for."""

HELP = """\
What compressed feature maps buy on a CNN accelerator: cycles, bandwidth, energy.

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
    app.command(f"{here}.compare:compare", name="compare", help="Rank codecs on one chip.")
    app.command(f"{here}.sweep:sweep", name="sweep", help="Run a study of many design points.")
    app.command(f"{here}.price:price", name="price", help="Price an old result again.")
    app.command(f"{here}.docs:docs", name="docs", help="The pages that explain it all.")
    app.command(f"{here}.warm_up:warm_up", name="warm-up", help="Compile all kernels now.")
    groups = {
        "codecs": ("Formats of compressed feature maps.", ("list", "measure")),
        "dram": (
            "Memories behind the chip.",
            ("list", "show", "replay", "check", "characterise", "io", "export"),
        ),
        "hw": ("Hardware files.", ("list", "show", "check", "schema")),
        "trace": ("Networks with their real tensors.", ("info", "export", "synth")),
        "train": (
            "Networks whose feature maps compress (extra [train]).",
            ("cat", "distil", "float"),
        ),
    }
    helps = {
        "codecs list": "Every codec: where it comes from, and what its hardware costs.",
        "codecs measure": "Code the arrays of a file, and say what they take.",
        "dram list": "Every memory: size, speed, energy per bit.",
        "dram characterise": "Bandwidth, latency and energy by pattern, address map and load.",
        "dram io": "Energy of the data on the pins of several memories, raw and coded.",
        "dram show": "Every value of a memory: unit, nanoseconds, source.",
        "dram replay": "Replay a request trace, as DRAMsim3 does.",
        "dram check": "Say which timing rule a trace of DRAM commands breaks first.",
        "dram export": "Write a memory as a DRAMsim3 .ini file.",
        "hw list": "The chips that come with accelsim.",
        "hw show": "Every key of a chip: value, unit, meaning, source.",
        "hw check": "Everything that is wrong or unwise in a hardware file.",
        "hw schema": "The JSON Schema of hardware files, for editors.",
        "trace info": "What a trace holds: layers, maps, density, entropy.",
        "trace export": "Run a trained network, and write its trace (extra [train]).",
        "trace synth": "Random maps of a wanted density and entropy.",
        "train cat": "Compression-aware training: accuracy and bits per value.",
        "train distil": "The same for a real network, on photographs without labels.",
        "train float": "The float network that `train cat` starts from.",
    }
    for group, (text, names) in groups.items():
        part = App(name=group, help=text)
        for name in names:
            part.command(f"{here}.{group}:{name}_{group}", name=name, help=helps[f"{group} {name}"])
        app.command(part)
    return app


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command line.

    The exit code is 0, 1 if a check found something, or 2 for a user's error or an interruption.
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
        # The reader of a pipe has seen enough; Python would complain once more at exit.
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
