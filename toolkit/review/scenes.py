"""Examples as a page shows them: a view on a thread of its own, cached, fetched ahead.

Until the task has read its dataset again, the worst examples come from ``head.json``. A view is
somebody else's code, perhaps: whatever it raises is a message, and where it cannot be opened,
examples are shown by what was found alone.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from goldlabel.errors import GoldlabelError, InputError
from goldlabel.files import sha256
from goldlabel.results.audit import Source
from goldlabel.results.label_issues import LabelIssues
from goldlabel.results.moving import HEAD
from goldlabel.scenes import Answer, Change, Picture, Question, Scene, Shown, View, as_json
from goldlabel.task import find_task
from goldlabel.typing import Ints
from goldlabel.views import IssuesView

__all__ = ["Scenes", "Stored"]

_KEPT = 256
_LONGEST = 2_500_000
"""Bytes of a head.json that is read."""
_T = TypeVar("_T")
_log = logging.getLogger("goldlabel.review")


class Stored(NamedTuple):
    """A picture that a view names, and whether it is turned as its EXIF data say."""

    shown: Shown
    upright: bool


class Scenes:
    """Opens the view of a task, and asks it for examples.

    Parameters
    ----------
    folder : Path
        Of the audit.
    issues, source, summary
        As `goldlabel.results.folder.read_audit` returns them.
    """

    def __init__(
        self, folder: Path, issues: LabelIssues, source: Source, summary: dict[str, Any]
    ) -> None:
        self._issues, self._source, self._summary = issues, source, summary
        self._plain = IssuesView(issues)
        self._head = _head(folder, summary)
        self._from_head: set[int] = set()
        self._cache: OrderedDict[int, Scene] = OrderedDict()
        self._lock = threading.Lock()
        self.problem: InputError | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="goldlabel-view")
        self._opening: Future[View] = self._thread.submit(self._open)

    @property
    def ready(self) -> bool:
        """Whether the dataset has been read."""
        return self._opening.done()

    def close(self) -> None:
        """Stop the thread, once it has done what it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def json(self, example: int) -> dict[str, Any]:
        """Return a scene as JSON: from the view or, before that has been opened, from the head."""
        if not self.ready and (scene := self._head.get(str(example))) is not None:
            self._from_head.add(example)
            return dict(scene)
        return dict(_plain(as_json(self.scene(example))))

    def scene(self, example: int) -> Scene:
        """Return a scene of the view; wait until it has been opened."""
        with self._lock:
            known = self._cache.get(example)
            if known is not None:
                self._cache.move_to_end(example)
                return known
        return self._ask(lambda view: self._made(view, example), f"example {example}")

    def fetch(self, examples: Sequence[int]) -> None:
        """Make scenes that are going to be asked for; what goes wrong is said when they are."""
        if not self.ready:
            return
        for example in examples:
            if example not in self._cache:
                future = self._thread.submit(self._made_ahead, example)
                future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def question(self, example: int, number: int) -> Question:
        """Return a question about an example.

        Raises
        ------
        InputError
            There is none of this number, or the example was shown otherwise.
        """
        questions = self.scene(example).questions
        if example in self._from_head and self.problem is not None:
            self._from_head.discard(example)
            raise InputError(
                f"example {example}",
                "is shown otherwise now, as its dataset cannot be read",
                "Load it again",
            )
        if not 0 <= number < len(questions):
            raise InputError(
                f"example {example}",
                f"has no question {number}, but {len(questions)}",
                "Load the example again",
            )
        return questions[number]

    def changes(self, example: int, question: int, answer: Answer) -> list[Change]:
        """Return what an answer changes, as the view says.

        Raises
        ------
        InputError
            The answer is none to the question.
        """

        def ask(view: View) -> list[Change]:
            changes = getattr(view, "changes", self._plain.changes)
            return list(changes(example, question, answer))

        return self._ask(ask, f"example {example}")

    def picture(self, example: int, name: str) -> Stored:
        """Return a picture that the scene of an example names.

        Raises
        ------
        InputError
            The example has no such picture.
        """
        scene = self.scene(example)
        blocks = {getattr(block, "name", None): block for block in scene.blocks}
        if name not in blocks:
            raise InputError("picture", f"is {name!r}, which the example has not", "Load it again")

        def ask(view: View) -> Shown:
            find = getattr(view, "picture", None)
            shown: Shown = None if find is None else find(example, name)
            return shown

        block = blocks[name]
        upright = block.upright if isinstance(block, Picture) else False
        return Stored(self._ask(ask, f"example {example}"), upright)

    def search(self, text: str) -> Ints:
        """Return the examples that have a text in them, or in their ids."""
        ids = self._issues.ids
        wanted = text.casefold()
        names = range(len(self._issues.scores)) if ids is None else ids.tolist()
        by_id = np.array(
            [at for at, name in enumerate(names) if wanted in str(name).casefold()], dtype=np.int64
        )
        if not self.ready:
            return by_id

        def ask(view: View) -> Ints:
            search = getattr(view, "search", None)
            return by_id if search is None else np.asarray(search(text), dtype=np.int64)

        return np.union1d(by_id, self._ask(ask, "text"))

    def _open(self) -> View:
        """Open the view of the task, or the plain one, with the reason why."""
        try:
            make = find_task(self._issues.task).view
            if make is None:
                return self._plain
            return make(self._source, self._issues, self._summary)
        except Exception as error:  # of a third party's task: anything may be wrong with it
            self.problem = _as_input_error(error, "dataset", "cannot be read again")
            _log.debug("the view cannot be opened", exc_info=error)
            return self._plain

    def _view(self) -> View:
        return self._opening.result()

    def _made_ahead(self, example: int) -> None:
        self._made(self._view(), example)

    def _made(self, view: View, example: int) -> Scene:
        with self._lock:
            if example in self._cache:
                return self._cache[example]
        [scene] = view.scenes([example])
        with self._lock:
            self._cache[example] = scene
            while len(self._cache) > _KEPT:
                self._cache.popitem(last=False)
        return scene

    def _ask(self, question: Callable[[View], _T], where: str) -> _T:
        """Ask the view, on its thread."""
        try:
            return self._thread.submit(lambda: question(self._view())).result()
        except Exception as error:
            raise _as_input_error(error, where, "cannot be shown") from error


def _as_input_error(error: Exception, where: str, what: str) -> InputError:
    if isinstance(error, InputError):
        return error
    why = str(error) if isinstance(error, GoldlabelError) else f"{type(error).__name__}: {error}"
    return InputError(where, f"{what} ({why})", "Check the dataset, or run the audit again")


def _head(folder: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Read the scenes that the audit has kept of its worst examples; none if there is a doubt."""
    path = folder / HEAD
    try:
        if path.stat().st_size > _LONGEST or sha256(path) != summary["files"].get(HEAD):
            return {}
        examples = json.loads(path.read_text(encoding="utf-8"))["examples"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(examples, dict):
        return {}
    return {
        at: scene
        for at, scene in examples.items()
        if isinstance(scene, dict) and isinstance(scene.get("questions"), list)
    }


def _plain(value: Any) -> Any:
    """Return JSON without NaN and infinities, which JSON has not."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
