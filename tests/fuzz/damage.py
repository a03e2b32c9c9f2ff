"""Damage a file as disks, transfers, editors and people with a purpose do; by a seed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

__all__ = ["damaged"]

ODD: list[Any] = [
    None, True, [], {}, [[]], [1], {"a": 1}, "", " ", "a", "-1", "nan", "\ud800", "\0", "../../x",
    "x" * 5000, "9" * 400, 0, -1, 1, 2, 0.5, -0.0, 1e308, -1e308, 2**31, 2**63, 2**70, -(2**63) - 1,
    "\x1b]0;owned\x07\u202e", '=HYPERLINK("http://a")', "/etc/passwd", float("nan"), float("inf"),
    [None], [[1, 2], [3]], {"": []}, ["\n" * 9], "1e400", 10**400, [0] * 3000,
]  # fmt: skip
TOKENS = [
    b"NaN", b"Infinity", b"-1", b"1e999", b"null", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"',
    b"'", b"\\ud800", b"\r", b"\n\n", b",", b"\t", b";", b"{", b"}", b"[", b"]", b"<", b"&",
    b"99999999999", b"\xe2\x80\xae", b"\x1b[31m", b"0", b"1", b"", b"../../x", b"=1+1",
    b"<![CDATA[", b"!!python/none", b"\x9b", b"&#0;", b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"*a", b"&a [*a]", b"?", b"%", b"@data", b"|", b"-DOCSTART-",
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
    return content[: rng.choice((0, 1, *[rng.randrange(len(content) + 1)] * 8))]


def without(content: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(content) + 1)
    return content[:begin] + content[begin + rng.choice((1, 4, 40)) :]


def repeated(content: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(content) + 1)
    piece = content[begin : begin + rng.choice((4, 40, 400))]
    return content[:begin] + piece * rng.choice((2, 2, 50)) + content[begin + len(piece) :]


def swapped(content: bytes, rng: random.Random) -> bytes:
    """Change the places of two pieces next to each other, or fill one with zeros."""
    begin = rng.randrange(len(content) + 1)
    size = rng.choice((1, 16, 200))
    one, other = content[begin : begin + size], content[begin + size : begin + 2 * size]
    changed = other + one if rng.random() < 0.6 else bytes(len(one)) + other
    return content[:begin] + changed + content[begin + 2 * size :]


def other_lines(content: bytes, rng: random.Random) -> bytes:
    """Drop, repeat, swap, join or lengthen lines."""
    lines = content.split(b"\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(to, lines[at])
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif kind == 3:
        lines[at : at + 2] = [b"".join(lines[at : at + 2])]
    else:
        lines[at] += rng.choice((b"x", b"1", b",", b" ", b"\t", b'"')) * rng.choice((2, 70_000))
    return b"\n".join(lines)


def encoded(content: bytes, rng: random.Random) -> bytes:
    """Save text as other editors do."""
    if rng.random() < 0.2:
        return b"\xef\xbb\xbf" + content
    if rng.random() < 0.3:
        return content.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n")))
    text = content.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32")), "replace")


def with_token(content: bytes, rng: random.Random) -> bytes:
    """Put an odd token between, or in the place of a word."""
    words = list(re.finditer(rb"[\w.+-]+", content[:20_000]))
    if words and rng.random() < 0.7:
        word = rng.choice(words)
        return content[: word.start()] + rng.choice(TOKENS) + content[word.end() :]
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(TOKENS) + content[at:]


def other_value(content: bytes, rng: random.Random) -> bytes:
    """Change a value of what is inside: of JSON or one of its lines, a table, an archive."""
    for change in (_other_json, _other_table, _other_member, _other_picture, _other_cell):
        try:
            changed = change(content, rng)
        except Exception:  # it is damaged already, or of another kind
            continue
        if changed is not None:
            return changed
    return with_token(content, rng)


def _other_json(content: bytes, rng: random.Random) -> bytes | None:
    try:
        return _dumped(_changed(json.loads(content), rng), rng)
    except ValueError:
        lines = content.splitlines(keepends=True)
        at = rng.randrange(len(lines))
        changed = _dumped(_changed(json.loads(lines[at]), rng), rng)
        return b"".join((*lines[:at], changed, *lines[at + 1 :]))


def _dumped(value: Any, rng: random.Random) -> bytes:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.02:  # deeper than any parser goes
        text = re.sub(r"\d+", lambda number: "[" * 9999 + number[0] + "]" * 9999, text, count=1)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _other_table(content: bytes, rng: random.Random) -> bytes | None:
    """Change a value, a name, or the type of a column."""
    if content[:4] not in (b"PAR1", b"\xff\xff\xff\xff"):
        return None
    source = io.BytesIO(content)
    is_parquet = content.startswith(b"PAR1")
    old = pa.parquet.read_table(source) if is_parquet else pa.ipc.open_stream(source).read_all()
    columns = _changed_columns(old, rng)
    table = pa.table(list(columns.values()), names=list(columns), metadata=old.schema.metadata)
    out = io.BytesIO()
    if is_parquet:
        pa.parquet.write_table(table, out)
    else:
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    return out.getvalue()


def _changed_columns(table: pa.Table, rng: random.Random) -> dict[str, Any]:
    columns = dict(zip(table.column_names, table.columns, strict=True))
    name = rng.choice(list(columns))
    values = columns[name].to_pylist()
    kind = rng.randrange(6)
    if kind == 0:
        del columns[name]
    elif kind == 1:
        columns[str(rng.choice(ODD))[:50].encode("utf-8", "replace").decode()] = columns.pop(name)
    elif kind == 2:
        columns[name] = pa.array([_changed(values, rng)] * len(values))
    elif kind == 3:
        columns[name] = columns[name].cast(rng.choice((pa.string(), pa.float64(), pa.int8())))
    elif kind == 4:
        columns[name] = pa.array([rng.choice(ODD)] * len(values))
    else:
        values[rng.randrange(len(values))] = rng.choice((None, values[0], *ODD))
        columns[name] = pa.array(values)
    return columns


def _other_member(content: bytes, rng: random.Random) -> bytes | None:
    """Damage what an archive holds, and pack it again: its checksums are right."""
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(rng.choice(KINDS[:-1])(gzip.decompress(content), rng))
    if content.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = {name: archive.read(name) for name in archive.namelist()}
        name = rng.choice(list(members))
        members[name] = rng.choice(KINDS[:-1])(members[name], rng)
        if rng.random() < 0.2:
            members[rng.choice(("../x.npy", "x", "", "b.npy"))] = members.pop(name)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as changed:
            for name, data in members.items():
                changed.writestr(name, data)
        return out.getvalue()
    if content[:1] == b"\x78":  # of zlib, as DocBin
        return zlib.compress(rng.choice(KINDS[:-1])(zlib.decompress(content), rng))
    return None


def _other_picture(content: bytes, rng: random.Random) -> bytes | None:
    """Say another size, depth or kind of colour in a PNG, or of an array, with right checksums."""
    if content.startswith(b"\x93NUMPY"):
        length = 10 + int.from_bytes(content[8:10], "little")
        header = with_token(content[10:length], rng)
        return content[:8] + len(header).to_bytes(2, "little") + header + content[length:]
    if not content.startswith(b"\x89PNG"):
        return None
    fields = list(struct.unpack(">IIBBBBB", content[16:29]))
    at = rng.randrange(len(fields))
    fields[at] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16) if at > 1 else (0, 1, 7, 9999, 2**31 - 1))
    header = b"IHDR" + struct.pack(">IIBBBBB", *fields)
    return content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:]


def _other_cell(content: bytes, rng: random.Random) -> bytes | None:
    text = content.decode()
    mark = "\t" if "\t" in text else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=mark))
    if not rows or len(rows[0]) < 2:
        return None
    row = rng.choice(rows)
    if row:
        row[rng.randrange(len(row))] = str(rng.choice(ODD))
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


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
    return rng.choice((*ODD, [value], {"a": value}, str(value)))


def packed(content: bytes, rng: random.Random) -> bytes:
    """Pretend that it is packed."""
    return rng.choice((b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")) + zlib.compress(
        content
    )


KINDS: list[Callable[[bytes, random.Random], bytes]] = [
    flipped, cut, without, repeated, swapped, other_lines, encoded, with_token, with_token,
    *[other_value] * 7, packed,
]  # fmt: skip
