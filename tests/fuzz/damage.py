"""Damage a file as disks, transfers, editors and people with a purpose do; by a seed."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["damaged"]

ODD: list[Any] = [
    None, True, [], {}, [[]], [1], {"a": 1}, "", " ", "a", "-1", "nan", "\ud800", "\0", "../../x",
    "x" * 5000, "9" * 400, 0, -1, 1, 2, 0.5, -0.0, 1e308, -1e308, 2**31, 2**63, 2**70, -(2**63) - 1,
]  # fmt: skip
TOKENS = [
    b"NaN", b"Infinity", b"-1", b"1e999", b"null", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"',
    b"'", b"\\ud800", b"\r", b"\n\n", b",", b"\t", b";", b"{", b"}", b"[", b"]", b"<", b"&",
    b"99999999999", b"\xe2\x80\xae", b"\x1b[31m", b"0", b"1", b"", b"../../x", b"=1+1",
    b"<![CDATA[", b"!!python/none",
]  # fmt: skip


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file's bytes with one to three things wrong with them."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(KINDS)(content, rng)
    return content


def flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def without(content: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(content) + 1)
    return content[:begin] + content[begin + rng.choice((1, 4, 40)) :]


def repeated(content: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(content) + 1)
    piece = content[begin : begin + rng.choice((4, 40, 400))]
    return content[:begin] + piece * rng.choice((2, 2, 50)) + content[begin + len(piece) :]


def with_token(content: bytes, rng: random.Random) -> bytes:
    """Put an odd token between, or in the place of a word."""
    words = list(re.finditer(rb"[\w.+-]+", content[:20_000]))
    if words and rng.random() < 0.7:
        word = rng.choice(words)
        return content[: word.start()] + rng.choice(TOKENS) + content[word.end() :]
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(TOKENS) + content[at:]


def other_value(content: bytes, rng: random.Random) -> bytes:
    """Change a value of a JSON document, or of one of its lines; else put a token."""
    lines = content.splitlines(keepends=True)
    at = rng.randrange(len(lines)) if lines else 0
    for begin, piece, end in (
        (b"", content, b""),
        *((b"".join(lines[:at]), line, b"".join(lines[at + 1 :])) for line in lines[at : at + 1]),
    ):
        try:
            value = json.loads(piece)
        except (ValueError, RecursionError):
            continue
        text = json.dumps(_changed(value, rng), ensure_ascii=rng.random() < 0.5)
        return begin + text.encode("utf-8", "surrogatepass") + b"\n" + end
    return with_token(content, rng)


def _changed(value: Any, rng: random.Random) -> Any:
    """Return JSON with one value, or one key, other than it was."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        rest = {key: each for key, each in value.items() if key != name}
        kind = rng.random()
        if kind < 0.1:
            return rest
        if kind < 0.15:
            return {**rest, str(rng.choice(ODD))[:50]: value[name]}
        return {**value, name: _changed(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.1:
            return value[:at] + value[at + 1 :]
        if kind < 0.15:
            return [*value, value[at]]
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def packed(content: bytes, rng: random.Random) -> bytes:
    """Pretend that it is packed."""
    return rng.choice((b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")) + zlib.compress(
        content
    )


KINDS: list[Callable[[bytes, random.Random], bytes]] = [
    flipped, cut, without, repeated, with_token, with_token, other_value, other_value, other_value,
    packed,
]  # fmt: skip
