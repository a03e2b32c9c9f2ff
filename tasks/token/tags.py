"""Tag schemes: what a tag says of its token, which tags may follow each other, and their spans.

A tag is "outside", or a type of entity with a letter for the place of the token in it:

========  ======================================================================================
scheme    letters
========  ======================================================================================
IO        none: ``PER``; two entities of one type can't touch
IOB1      ``I``; ``B`` only where an entity begins right after another one of its type (CoNLL-2003)
IOB2      ``B`` begins every entity, ``I`` goes on (also called BIO)
BIOES     as IOB2, and ``E`` ends an entity, ``S`` is one of a single token; also written BILOU
          (``L``, ``U``) and BMEWO (``M``, ``E``, ``W``)
========  ======================================================================================

References
----------
E. Tjong Kim Sang, J. Veenstra. Representing text chunks. EACL 1999.
L. Ratinov, D. Roth. Design challenges and misconceptions in named entity recognition. CoNLL 2009.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from goldlabel.errors import InputError
from goldlabel.inputs import check
from goldlabel.typing import Ints, Mask

__all__ = ["OUTSIDE", "SCHEMES", "Scheme", "Tag", "TagSet", "is_prefixed", "parse", "tag_set"]

Scheme = Literal["io", "iob1", "iob2", "bioes", "bilou", "bmewo"]
SCHEMES: tuple[str, ...] = get_args(Scheme)


OUTSIDE = "O"
_PREFIXED = re.compile(r"([BIESLUMW])([-_])(.+)", re.DOTALL)
_SUFFIXED = re.compile(r"(.+)([-_])([BIESLUMW])", re.DOTALL)
_ROLES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "W": "S"}
_LETTERS = {  # of begin, inside, end, single
    "io": "",
    "iob1": "BI",
    "iob2": "BI",
    "bioes": "BIES",
    "bilou": "BILU",
    "bmewo": "BMEW",
}


class Tag(NamedTuple):
    """A tag in its parts.

    Attributes
    ----------
    role : {"O", "B", "I", "E", "S"}
        Outside, begin, inside, end, single, whatever the scheme's letter for it.
    type : str
        Type of the entity; "" where there is only one kind.
    """

    role: str
    type: str


def is_prefixed(name: str) -> bool:
    """Return whether a tag says a place in an entity, and the entity's type: B-PER, or PER-B."""
    return bool(_PREFIXED.fullmatch(name) or _SUFFIXED.fullmatch(name))


def parse(names: Iterable[str]) -> tuple[dict[str, Tag], str] | None:
    """Take tags apart: ``B-PER``, ``PER-B``, ``B``, or just ``PER``.

    Returns
    -------
    tags : dict of str to Tag
    style : str
        How to write one: ``"{letter}-{type}"``.

    None where these are no tags of entities: none of them says "outside".
    """
    listed = list(dict.fromkeys(names))
    if OUTSIDE not in listed:
        return None
    rest = [name for name in listed if name != OUTSIDE]
    tags = {OUTSIDE: Tag("O", "")}
    for pattern, letter, kind, style in (
        (_PREFIXED, 1, 3, "{{letter}}{}{{type}}"),
        (_SUFFIXED, 3, 1, "{{type}}{}{{letter}}"),
    ):
        found = [pattern.fullmatch(name) for name in rest]
        if rest and all(found):
            matched = [match for match in found if match is not None]
            tags |= {match[0]: Tag(_ROLES[match[letter]], match[kind]) for match in matched}
            return tags, style.format(matched[0][2])
    if rest and all(name in _ROLES for name in rest):
        return tags | {name: Tag(_ROLES[name], "") for name in rest}, "{letter}"
    return tags | {name: Tag("I", name) for name in rest}, "{type}"


@dataclass(frozen=True, eq=False)
class TagSet:
    """Classes that are tags, and the rules between them; arrays are by class.

    Attributes
    ----------
    names : tuple of str
        The k classes.
    scheme : str
        One of `SCHEMES`.
    style : str
        How a tag is written.
    roles : tuple of str
    types : tuple of str
        Types of entities, in the order of the classes.
    type_of : ndarray of shape (k,), int64
        Index into `types`; -1 = outside.
    """

    names: tuple[str, ...]
    scheme: str
    style: str
    roles: tuple[str, ...]
    types: tuple[str, ...]
    type_of: Ints

    def _is(self, *roles: str) -> Mask:
        return np.array([role in roles for role in self.roles], dtype=np.bool_)

    @cached_property
    def rules(self) -> npt.NDArray[np.uint8]:
        """What each class may do, as bits; see `goldlabel.tasks.token.kernels`."""
        closes = ("B", "I") if self.scheme in ("io", "iob1", "iob2") else ("S", "E")
        enters = {"io": ("I",), "iob1": ("I",), "iob2": ("B",)}.get(self.scheme, ("B", "S"))
        follows = {"io": ("I",), "iob1": ("B", "I"), "iob2": ("I",)}.get(self.scheme, ("I", "E"))
        bits = 1 * self._is("O", *enters) + 2 * self._is("O", *closes)
        bits += 4 * self._is(*follows) + 8 * self._is("B", "I")
        return bits.astype(np.uint8)

    @cached_property
    def starts(self) -> Mask:
        """Classes that begin an entity whatever stands before them."""
        return self._is("B", "S")

    @cached_property
    def ends(self) -> Mask:
        """Classes after which an entity is over whatever follows."""
        return self._is("E", "S")

    @cached_property
    def may_follow(self) -> Mask:
        """Whether class b may stand right after class a, ``[a, b]``; the last index: not known."""
        enters, over, follows, goes_on = (self.rules & bit > 0 for bit in (1, 2, 4, 8))
        same = self.type_of[:, None] == self.type_of
        allowed = np.ones((len(self.names) + 1,) * 2, dtype=np.bool_)
        allowed[:-1, :-1] = over[:, None] & enters | same & goes_on[:, None] & follows
        return allowed

    @cached_property
    def may_begin(self) -> Mask:
        """Whether each class may begin a sentence; the last entry: not known."""
        return np.append(self.rules & 1 > 0, True)

    @cached_property
    def may_end(self) -> Mask:
        """Whether each class may end a sentence; the last entry: not known."""
        return np.append(self.rules & 2 > 0, True)

    @cached_property
    def table(self) -> Ints:
        """Class by type (the last row: outside) and role (O, B, I, E, S); -1 = there is none."""
        table = np.full((len(self.types) + 1, 5), -1, dtype=np.int64)
        for code, (role, kind) in enumerate(zip(self.roles, self.type_of.tolist(), strict=True)):
            table[kind, "OBIES".index(role)] = code
        return table

    @cached_property
    def codes(self) -> dict[tuple[str, str], int]:
        """Class by role and type."""
        types = (self.types[t] if t >= 0 else "" for t in self.type_of.tolist())
        return {key: at for at, key in enumerate(zip(self.roles, types, strict=True))}

    def write(self, role: str, kind: str) -> str:
        """Return the tag of a role and a type as this set writes it."""
        if role == "O":
            return OUTSIDE
        letters = dict(zip("BIES", _LETTERS[self.scheme], strict=False))
        return self.style.format(letter=letters.get(role, ""), type=kind)

    def of_spans(self, spans: Sequence[tuple[int, int, str]], length: int) -> list[str]:
        """Return the tags of a sentence of `length` tokens with these (start, end, type) in it."""
        roles = [("O", "")] * length
        previous_end, previous_type = -1, ""
        for start, end, kind in sorted(spans):
            touches = start == previous_end and kind == previous_type
            for at in range(start, end):
                roles[at] = self._role(at == start, at == end - 1, touches), kind
            previous_end, previous_type = end, kind
        return [self.write(*role) for role in roles]

    def _role(self, first: bool, last: bool, touches: bool) -> str:
        if self.scheme == "io":
            return "I"
        if self.scheme == "iob1":
            return "B" if first and touches else "I"
        if self.scheme == "iob2":
            return "B" if first else "I"
        if first:
            return "S" if last else "B"
        return "E" if last else "I"


def tag_set(
    classes: Sequence[Hashable], scheme: str = "auto", *, tags: npt.ArrayLike | None = None,
    offsets: Ints | None = None,
) -> TagSet | None:  # fmt: skip
    """Recognise classes as tags of entities.

    Parameters
    ----------
    classes : sequence of length k
        Class names; no text is no tag.
    scheme : str
        One of `SCHEMES`; "auto": what the classes and their use show; "none": no entities.
    tags : array_like of shape (t,), int64, optional
        Tags as used, -1 = not known: they tell IOB1 from IOB2, which have the same letters.
    offsets : ndarray of shape (n + 1,), int64, optional
        Sentences of `tags`.

    Returns
    -------
    TagSet or None
        None where there are no entities.

    Raises
    ------
    InputError
        The classes are no tags of the scheme that was asked for.
    """
    check.choice(scheme, ("auto", "none", *SCHEMES), name="scheme")
    if scheme == "none" or (scheme == "auto" and len(classes) < 2):
        return None
    parsed = parse(name for name in classes if isinstance(name, str))
    if parsed is None or not all(isinstance(name, str) for name in classes):
        if scheme == "auto":
            return None
        raise InputError(
            "classes",
            f"have no {OUTSIDE!r}, so they are no tags of the scheme {scheme!r}",
            "Pass the tags as classes=, or scheme='none'",
        )
    found, style = parsed
    names = tuple(str(name) for name in classes)
    roles = tuple(found[name].role for name in names)
    types = tuple(dict.fromkeys(found[name].type for name in names if name != OUTSIDE))
    place = {kind: at for at, kind in enumerate(types)}
    type_of = np.array(
        [-1 if name == OUTSIDE else place[found[name].type] for name in names], dtype=np.int64
    )
    letters = {name[:1] if style.startswith("{letter}") else name[-1:] for name in names}
    letters -= {OUTSIDE}
    known = TagSet(names, "iob2", style, roles, types, type_of)
    if scheme == "auto":
        scheme = _detected(known, letters, tags, offsets)
    _check_letters(scheme, style, roles)
    return TagSet(names, scheme, style, roles, types, type_of)


def _detected(tags: TagSet, letters: set[str], used: Any, offsets: Ints | None) -> str:
    if "{letter}" not in tags.style:
        return "io"
    for scheme, own in (("bilou", "LU"), ("bmewo", "MW"), ("bioes", "ES")):
        if letters & set(own):
            return scheme
    if "B" not in tags.roles:
        return "iob1"
    if used is None or offsets is None:
        return "iob2"
    return "iob1" if _begins_with_inside(tags, np.asarray(used), offsets) else "iob2"


def _begins_with_inside(tags: TagSet, used: npt.NDArray[Any], offsets: Ints) -> bool:
    """Return whether entities begin with I more often than with B, other than after their kind."""
    if not used.shape[0]:
        return False
    type_of = np.append(tags.type_of, -1)
    kind = type_of[used]
    before = np.append(-1, kind[:-1])
    before[offsets[:-1][offsets[:-1] < len(used)]] = -1
    fresh = (kind >= 0) & (before != kind)
    begun = fresh & np.append(tags.starts, False)[used]
    return bool(np.count_nonzero(fresh) > 2 * np.count_nonzero(begun))


def _check_letters(scheme: str, style: str, roles: Sequence[str]) -> None:
    allowed = {"io": "OI", "iob1": "OBI", "iob2": "OBI"}.get(scheme, "OBIES")
    strange = [role for role in roles if role not in allowed]
    if strange or (scheme == "io") != ("{letter}" not in style):
        raise InputError(
            "scheme",
            f"is {scheme!r}, and the classes are not tags of it",
            f"Use one of {', '.join(SCHEMES)}, or leave it out",
        )
