"""The command line: parse, call one function, print."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from typer.main import get_command

from goldlabel.cli.app import app
from goldlabel.cli.screen import Screen
from goldlabel.errors import GoldlabelError

__all__ = ["main"]

BAD_INPUT = 2
STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        What follows ``goldlabel`` on the command line; `sys.argv` if not given.

    Returns
    -------
    int
        The exit code: 0 it did what was asked, whatever an audit found; 2 the input or an option
        does not fit (stderr says where, what and how to fix it); 1 ``coco check`` found something
        as bad as ``--fail-on``, or the reader of the output went away; 130 stopped with Ctrl-C. A
        bug in goldlabel raises as it is.

    Examples
    --------
    >>> main(["--version"])
    goldlabel ...
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    screen = Screen(command=arguments)
    try:
        get_command(app).main(args=arguments, prog_name="goldlabel", obj=screen)
    except GoldlabelError as error:
        screen.complain(str(error))
        return BAD_INPUT
    except MemoryError as error:
        reason = f" ({error})" if str(error) else ""
        screen.complain(
            f"memory: is too small for this{reason}. Audit a part of the data, or use a machine "
            "with more of it."
        )
        return BAD_INPUT
    except KeyboardInterrupt:
        return _stopped(screen)
    except SystemExit as stop:
        if stop.code == STOPPED:
            return _stopped(screen)
        return _flushed(stop.code if isinstance(stop.code, int) else int(stop.code is not None))
    return _flushed(0)


def _stopped(screen: Screen) -> int:
    screen.complain("stopped")
    return STOPPED


def _flushed(code: int) -> int:
    """Write out what is buffered; a reader that went away (``| head``) is no error of ours."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes again when it exits, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code
