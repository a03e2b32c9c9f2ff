"""A view that shows what a test says: the same of every example, or what a function makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from goldlabel.scenes import Block, Fields, Picture, Question, Scene, Text

__all__ = ["MadeView", "shows"]


class MadeView:
    """Shows the blocks, questions and pictures that a test has made."""

    def __init__(
        self,
        blocks: Callable[[int], Sequence[Block]],
        questions: Callable[[int], Sequence[Question]] = lambda at: (),
        pictures: Callable[[int, str], bytes | None] = lambda at, name: None,
    ) -> None:
        self._blocks, self._questions, self._pictures = blocks, questions, pictures

    def scenes(self, examples: Sequence[int]) -> list[Scene]:
        return [
            Scene(at, str(at), tuple(self._blocks(at)), tuple(self._questions(at)))
            for at in examples
        ]

    def picture(self, example: int, name: str) -> bytes | None:
        return self._pictures(example, name)


def shows(
    *,
    text: str | None = None,
    image: bytes | None = None,
    fields: Mapping[str, str] | None = None,
) -> MadeView:
    """Return a view that shows the same of every example."""
    blocks: list[Block] = [] if image is None else [Picture("image")]
    blocks += [] if text is None else [Text(text)]
    blocks += [] if fields is None else [Fields(tuple(fields.items()))]
    return MadeView(lambda at: blocks, pictures=lambda at, name: image)
