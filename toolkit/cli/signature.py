"""A task's ``audit`` as a command: its parameters become arguments and options."""

from __future__ import annotations

import csv
import inspect
import io
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import typer
from rich.markup import escape

from goldlabel.cli import docstring
from goldlabel.errors import InputError

__all__ = [
    "PROGRESS",
    "in_options",
    "join",
    "keywords",
    "options",
    "parameters",
    "shaped",
    "split",
    "translator",
    "wants_progress",
]

PROGRESS = "progress"
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
METAVARS: Mapping[object, str] = {str: "TEXT", int: "N", float: "X", Path: "PATH", bool: ""}

WIDE = 20
"""Choices that take more characters would leave no room for the help beside them."""


def parameters(audit: Callable[..., Any], help: Mapping[str, str]) -> list[inspect.Parameter]:
    """Return the parameters that a command line can carry, annotated for typer.

    Parameters
    ----------
    audit : callable
        The function whose signature is read; see `goldlabel.task` for what it may hold.
    help : mapping of str to str
        The description of each parameter.

    Raises
    ------
    TypeError
        A parameter without a default has a type that a command line cannot carry.
    """
    found = []
    for parameter in inspect.signature(audit).parameters.values():
        if parameter.name == PROGRESS:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            found += _keywords(_annotation(audit, parameter))
            continue
        annotation = _annotation(audit, parameter)
        kind = _kind(annotation)
        if kind is not None:
            described = f"{help.get(parameter.name, '')} {_choices(annotation)}".strip()
            found.append(_as_typer(parameter, kind, described))
        elif parameter.default is parameter.empty:
            raise TypeError(
                f"{audit.__module__}.{audit.__qualname__}: {parameter.name} has no default, and "
                f"the type {parameter.annotation}, which a command line cannot carry"
            )
    return found


def options(function: Callable[..., Any], panel: str) -> list[inspect.Parameter]:
    """Return the options of a function written for typer, to be shown under a heading."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())
    for parameter in own:
        _, info = get_args(parameter.annotation)
        info.rich_help_panel = panel
    return own


def shaped(
    function: Callable[..., None], parameters: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """Return `function(context, **values)` with a signature of its own, for typer to read."""

    def command(*args: Any, **values: Any) -> None:
        function(*args, **values)

    context = inspect.Parameter("context", POSITIONAL[1], annotation=typer.Context)
    whole = [context, *(each.replace(kind=each.KEYWORD_ONLY) for each in parameters)]
    command.__signature__ = inspect.Signature(whole)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in whole}
    return command


def wants_progress(audit: Callable[..., Any]) -> bool:
    """Say whether a task's ``audit`` tells how far it is."""
    return PROGRESS in inspect.signature(audit).parameters


def in_options(audit: Callable[..., Any]) -> Callable[[str], str]:
    """Return what puts the options of a task's ``audit`` into messages: see `translator`."""
    own = [each.name for each in parameters(audit, {}) if each.kind not in POSITIONAL]
    return translator({name: "--" + name.replace("_", "-") for name in own})


def translator(options: Mapping[str, str]) -> Callable[[str], str]:
    """Return what puts the options of a command into a message that names arguments in Python.

    A name counts where it can be nothing else: at the beginning of the message, with its value
    behind it (``missing='drop'``), or if it has an underscore.

    Parameters
    ----------
    options : mapping of str to str
        How each argument is called on the command line.

    Examples
    --------
    >>> translator({"duplicate_iou": "--duplicate-iou"})("duplicate_iou: is 2")
    '--duplicate-iou: is 2'
    """
    if not options:
        return str
    names = "|".join(sorted(options, key=len, reverse=True))
    begin, end = r"(?<![\w'\"/.-])", r"(?![\w'\"/]|\.\w)"
    first = re.compile(rf"^({names})(?=[:\[])")
    value = re.compile(rf"{begin}({names})=(True|False|\d+(?:\.\d+)?|'[^']*'|\"[^\"]*\"|)")
    word = re.compile(rf"{begin}({names}){end}")

    def option(found: re.Match[str]) -> str:
        return options[found[1]]

    def with_value(found: re.Match[str]) -> str:
        if found[2] == "False":
            return f"--no-{option(found)[2:]}"
        return option(found) if found[2] in ("", "True") else f"{option(found)} {found[2]}"

    def translated(message: str) -> str:
        message = value.sub(with_value, first.sub(option, message))
        return word.sub(lambda found: option(found) if "_" in found[1] else found[1], message)

    return translated


def split(text: str, option: str) -> list[str]:
    """Split a comma-separated list; a name that holds a comma stands in double quotes.

    Examples
    --------
    >>> split('width, height,"weight, kg"', "--features")
    ['width', 'height', 'weight, kg']
    """
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise InputError(
            option,
            f"is {text!r}, a list with {'an empty name' if names else 'no names'}",
            "Separate the names with commas: a,b,c",
        )
    return names


def join(names: Sequence[str]) -> str:
    """Write a comma-separated list as `split` reads it.

    Examples
    --------
    >>> join(["width", "weight, kg"])
    'width,"weight, kg"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def _keywords(annotation: Any) -> list[inspect.Parameter]:
    """Return the options of ``**name: Unpack[Keywords]``, documented where they are declared.

    They have no default: what is not said is not passed on.
    """
    if get_origin(annotation) is not Unpack:
        return []
    (keywords,) = get_args(annotation)
    help: dict[str, str] = {}
    for each in _declared(keywords):
        help.update(docstring.read(each.__doc__).parameters)
    found = []
    for name, hint in get_type_hints(keywords).items():
        parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        kind = _kind(hint)
        if kind is not None:
            found.append(_as_typer(parameter, kind, help.get(name, "")))
    return found


def _declared(keywords: Any) -> Iterator[Any]:
    """Yield the TypedDicts that one is made of, and itself; Python 3.11 does not keep its bases."""
    for each in vars(sys.modules[keywords.__module__]).values():
        if is_typeddict(each) and each.__annotations__.keys() <= keywords.__annotations__.keys():
            yield each
    yield keywords


def keywords(audit: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a command line without keywords that were not given."""
    own = inspect.signature(audit).parameters
    return {name: value for name, value in values.items() if name in own or value is not None}


def _choices(annotation: Any) -> str:
    """Return what an option may be, where its type is annotated with what knows the names."""
    if get_origin(annotation) is not Annotated:
        return ""
    names = [name for each in annotation.__metadata__ for name in getattr(each, "names", ())]
    return f"One of {', '.join(names)}." if names else ""


def _splitting(option: str) -> Callable[[str | None], list[str] | None]:
    """Return `split` as typer calls it; None is an option that was not given."""
    return lambda text: None if text is None else split(text, option)


def _annotation(audit: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the type of one parameter, None where it exists for type checkers only."""
    if parameter.annotation is parameter.empty:
        return None
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    scope = getattr(inspect.unwrap(audit), "__globals__", {})
    try:
        return get_type_hints(holder, globalns=scope, include_extras=True)["it"]
    except NameError:
        return None


def _kind(annotation: Any) -> Any:
    """Reduce a type to str, int, float, bool, Path, a Literal or a list; None: none of these."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin in (Union, types.UnionType):
        rest = [each for each in inner if each is not type(None)]
        return _kind(rest[0]) if len(rest) == 1 else None
    if annotation in (str, int, float, bool, Path):
        return annotation
    if origin is Literal and all(isinstance(value, str) for value in inner):
        return annotation
    if origin in (Sequence, list):
        return {(str,): list[str], (Path,): list[Path]}.get(inner)
    return None


def _as_typer(parameter: inspect.Parameter, kind: Any, help: str) -> inspect.Parameter:
    if parameter.kind in POSITIONAL:
        name = parameter.name.upper()
        argument = typer.Argument(metavar=name, help=escape(help), show_default=False)
        return parameter.replace(annotation=Annotated[kind, argument])
    return _as_option(parameter, kind, escape(help))


def _as_option(parameter: inspect.Parameter, kind: Any, help: str) -> inspect.Parameter:
    flag = "--" + parameter.name.replace("_", "-")
    default = parameter.default
    given = default is not parameter.empty and default is not None
    names, metavar, callback = flag, METAVARS.get(kind), None
    if kind is bool and default is not False:
        names = f"{flag}/--no-{flag[2:]}"
    elif get_origin(kind) is list:
        kind, metavar, callback = str, "A,B,...", _splitting(flag)
        default = join(default) if given else default
    elif get_origin(kind) is Literal and len("|".join(get_args(kind))) > WIDE:
        metavar, help = "NAME", f"{help} One of {', '.join(get_args(kind))}.".strip()
    option = typer.Option(
        names,
        help=help,
        metavar=metavar,
        callback=callback,
        show_default=given and default is not False,
    )
    return parameter.replace(annotation=Annotated[kind, option], default=default)
