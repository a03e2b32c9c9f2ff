"""How much a compressed file may unpack to: a file of kilobytes must not fill the memory."""

from __future__ import annotations

import gzip
import io
import os
import re
import zlib
from pathlib import Path

import pyarrow as pa

from goldlabel.errors import InputError

__all__ = ["LIMIT", "check_unpacked", "inflate", "unpack"]

LIMIT = "GOLDLABEL_UNPACK_LIMIT"
"""Environment variable: so many bytes ("8G") are unpacked, however small the file."""

_RATIO = 100
_LEAST = 1 << 28  # 256 MiB
_PIECE = 1 << 20
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _most(packed: int, least: int) -> int:
    """Return how many bytes a file of this size may unpack to."""
    text = os.environ.get(LIMIT, "").strip().upper()
    if not text:
        return max(least, _RATIO * packed)
    match = re.fullmatch(r"([0-9]{1,15})\s*([KMGT]?)I?B?", text)
    if match is None:
        raise InputError(LIMIT, f"is {text!r}, no number of bytes", "Write e.g. 8G")
    return int(match[1]) * _UNITS[match[2]]


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.4g} {unit}"
        count //= 1024
    return f"{count:,} GiB"


def _too_much(where: object, most: int, packed: int) -> InputError:
    times = f", {most // max(packed, 1):,} times its size" if most > packed else ""
    return InputError(
        str(where),
        f"unpacks to more than {_size(most)}{times}",
        f"If it is meant to, unpack it first, or set {LIMIT} to the bytes it may take, e.g. 8G",
    )


def check_unpacked(where: object, unpacked: int, packed: int, *, least: int = _LEAST) -> None:
    """Refuse what says itself that it unpacks to far more than it takes on disk.

    Parameters
    ----------
    where : object
        What to call it in the message.
    unpacked, packed : int
        Its sizes in bytes.
    least : int
        What is allowed however small the packed size is.

    Raises
    ------
    InputError
        It is more than 100 times as large and more than `least`, or more than what the
        environment variable `LIMIT` says.
    """
    most = _most(packed, least)
    if unpacked > most:
        raise _too_much(where, most, packed)


def unpack(path: Path, raw: bytes, compression: str) -> bytes:
    """Unpack gzip or zstd in pieces, up to the limit.

    Raises
    ------
    InputError
        The data is damaged, or unpacks to far more than it should.
    """
    most = _most(len(raw), _LEAST)
    pieces: list[bytes] = []
    total = 0
    try:
        with _stream(raw, compression) as stream:
            while piece := stream.read(_PIECE):
                total += len(piece)
                if total > most:
                    raise _too_much(path, most, len(raw))
                pieces.append(piece)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise InputError(
            str(path), f"is damaged {compression} ({error})", "Fetch or compress it again"
        ) from error
    return b"".join(pieces)


def _stream(raw: bytes, compression: str) -> gzip.GzipFile | pa.CompressedInputStream:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=io.BytesIO(raw))
    return pa.CompressedInputStream(pa.BufferReader(raw), compression)


def inflate(path: Path, raw: bytes) -> bytes:
    """Unpack a zlib stream, up to the limit; `zlib.error` where it is damaged."""
    most = _most(len(raw), _LEAST)
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(raw, most + 1)
    if len(data) > most:
        raise _too_much(path, most, len(raw))
    if not unpacker.eof:
        raise zlib.error("incomplete or truncated stream")
    return data
