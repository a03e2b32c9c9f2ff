"""A signature as a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from goldlabel import InputError
from goldlabel.cli import docstring, signature


def audit(
    path: Path,
    more: Sequence[Path],
    *,
    needed: str,
    choice: Literal["a", "b"] | None = None,
    old: Optional[int] = None,  # noqa: UP045
    number: float = 0.5,
    maybe: bool | None = None,
    long: Literal["a rather long choice", "another choice"] = "another choice",
    mapping: Mapping[str, int] | None = None,
    either: int | str = 0,
    levels: Literal[1, 2] = 1,
    only_for_checkers: Nowhere | None = None,  # noqa: F821
    unannotated=None,
    progress: Callable[[int, int, str], None] | None = None,
):
    pass


def test_what_a_command_line_can_carry_is_taken():
    names = [each.name for each in signature.parameters(audit, {})]
    assert names == ["path", "more", "needed", "choice", "old", "number", "maybe", "long"]


def test_a_parameter_that_cannot_be_given_needs_a_default():
    def other(path: Path, *, table: Mapping[str, Any]): ...

    with pytest.raises(TypeError, match="other: table has no default"):
        signature.parameters(other, {})


def test_several_files_can_be_given(run, monkeypatch):
    import typer

    given = []

    def command(context: typer.Context, **values: Any) -> None:
        given.append(values)

    app = typer.Typer()
    app.command()(signature.shaped(command, signature.parameters(audit, {})))
    app_main = typer.main.get_command(app).main
    words = ["one", "two", "three", "--needed", "x", "--choice", "b"]
    assert not app_main(words, standalone_mode=False)
    assert given[0]["path"] == Path("one")
    assert given[0]["more"] == [Path("two"), Path("three")]
    assert (given[0]["needed"], given[0]["choice"], given[0]["old"]) == ("x", "b", None)
    assert given[0]["long"] == "another choice"
    assert given[0]["maybe"] is None
    assert not app_main([*words, "--no-maybe"], standalone_mode=False)
    assert given[1]["maybe"] is False


@pytest.mark.parametrize("text", ["", " ", "a,,b", ",", "a,"])
def test_an_empty_name_in_a_list_is_refused(text):
    with pytest.raises(InputError) as caught:
        signature.split(text, "--features")
    assert caught.value.where == "--features"


def test_a_docstring_is_read_up_to_its_sections():
    found = docstring.read(
        """Do it
        well.

        With `care` and
        ``pred_probs``.

        Parameters
        ----------
        a, b : str
            Both.

            Second paragraph.
        *rest : int
            Others.
        bare

        Returns
        -------
        c : int
            Not a parameter.

        Other Parameters
        ----------------
        d
            Rare.
        """
    )
    assert found.text == "Do it well.\n\nWith care and pred_probs."
    both = "Both. Second paragraph."
    assert found.parameters == {"a": both, "b": both, "rest": "Others.", "bare": "", "d": "Rare."}


@pytest.mark.parametrize("text", [None, "", "One line."])
def test_a_docstring_may_be_short_or_missing(text):
    assert docstring.read(text) == docstring.Docstring(text or "", {})


@pytest.mark.parametrize("task", ["multiclass", "token"])
def test_keywords_that_are_declared_elsewhere_have_help(run, task):
    shown = " ".join(run("audit", task, "--help")[1].replace("│", " ").split())
    assert "Encoding of a text file" in shown
    assert "Split of a Hugging Face dataset" in shown
