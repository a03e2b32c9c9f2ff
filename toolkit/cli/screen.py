"""What a command shows: results on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import logging
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import typer
from rich.console import Console

from goldlabel.cli.signature import translator
from goldlabel.errors import DataWarning
from goldlabel.task import Progress

__all__ = ["Screen", "screen_of", "shell"]


# What a terminal obeys instead of showing: C0 and C1 controls but the newline, line separators,
# overrides of the direction; and halves of surrogate pairs, which it can't show.
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(10), *range(11, 32), *range(127, 160))}
CONTROLS |= {
    code: f"\\u{code:04x}"
    for code in (*range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))
}


def shell(*words: object) -> str:
    """Return a command as one can paste it into a shell."""
    return shlex.join(str(word) for word in words)


class Screen:
    """Where one run of `goldlabel` prints.

    Parameters
    ----------
    command : sequence of str
        The command line, without the program's name.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = shell("goldlabel", *command)
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)
        self.in_options: Callable[[str], str] = str  # how a command's own arguments are called

    def say(self, text: str = "") -> None:
        """Print a line of the result; a long one is not folded, so that it can be pasted."""
        self.out.print(text.translate(CONTROLS), markup=False, soft_wrap=True)

    def complain(self, text: str) -> None:
        """Print an error or a warning."""
        text = f"goldlabel: {self.in_options(text)}".translate(CONTROLS)
        self.err.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, quiet: bool = False) -> Iterator[Progress | None]:
        """Show how far a long job is, if a person watches; None if there is nobody to tell."""
        if quiet or not sys.stderr.isatty() or self.err.is_dumb_terminal:
            yield None
            return
        from rich.progress import Progress as Bars
        from rich.progress import TaskID

        known: dict[str, TaskID] = {}
        with Bars(console=self.err, transient=True) as bars:

            def tell(done: int, total: int, what: str) -> None:
                if what not in known:
                    known[what] = bars.add_task(what.translate(CONTROLS).replace("[", "\\["))
                bars.update(known[what], completed=done, total=total)

            yield tell

    @contextmanager
    def log(self, quiet: bool = False) -> Iterator[None]:
        """Show what the library logs, such as what a long job is going to cost."""
        handler = _Handler(self)
        logger = logging.getLogger("goldlabel")
        level = logger.level
        if not quiet:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    @contextmanager
    def warnings(self) -> Iterator[list[str]]:
        """Show each DataWarning once, as it comes, and collect their texts.

        Other warnings are for developers, who ask for them with ``python -W`` or PYTHONWARNINGS.
        """
        texts: list[str] = []

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, DataWarning):
                theirs(message, category, filename, lineno, file, line)
            elif str(message) not in texts:
                texts.append(str(message))
                self.complain(f"warning: {message}")

        with warnings.catch_warnings():
            theirs = warnings.showwarning
            warnings.showwarning = show
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            warnings.simplefilter("always", DataWarning)
            yield texts


class _Handler(logging.Handler):
    """Hands log records to a screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.INFO)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.complain(record.getMessage())


def screen_of(context: typer.Context) -> Screen:
    """Return the screen of the run that a command belongs to; it names that command's options."""
    screen = context.obj
    if not isinstance(screen, Screen):
        raise TypeError("commands are run by goldlabel.cli.main")
    options = {each.name: max(each.opts, key=len) for each in context.command.params if each.name}
    screen.in_options = translator(
        {name: option for name, option in options.items() if option.startswith("--")}
    )
    return screen
