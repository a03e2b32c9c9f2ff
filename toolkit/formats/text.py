"""The bytes of a text file: decompressed and as UTF-8 inside, as they came outside.

Everything that reads or changes text works on UTF-8 without byte-order mark; `TextFile.packed`
turns such bytes back into the file's own encoding, byte-order mark and compression.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from goldlabel.errors import InputError
from goldlabel.formats.unpacking import unpack

__all__ = [
    "TextFile",
    "check_file",
    "first_bytes",
    "first_text",
    "is_folder",
    "line_number",
    "read_text",
]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_COMPRESSIONS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_CHUNK = 1 << 24
_HEAD = 1 << 16


@dataclass(frozen=True, eq=False)
class TextFile:
    """A text file in memory.

    Attributes
    ----------
    path : Path
    data : bytes
        The text as UTF-8, without byte-order mark.
    encoding : str
        Python's name of the file's encoding, e.g. ``"utf-8"``, ``"utf-16-le"``.
    mark : bytes
        The byte-order mark that the file begins with, if any.
    compression : {"", "gzip", "zstd"}
    sha256 : str
        Of the file as it is on disk.
    """

    path: Path
    data: bytes
    encoding: str
    mark: bytes
    compression: str
    sha256: str

    @property
    def description(self) -> str:
        """How the text is stored, in words: ``"UTF-8 with byte-order mark, gzip"``."""
        words = [self.encoding.upper() + (" with byte-order mark" if self.mark else "")]
        return ", ".join([*words, self.compression] if self.compression else words)

    def packed(self, data: bytes) -> bytes:
        """Return UTF-8 text as this file would hold it.

        Raises
        ------
        InputError
            The text has a character that the encoding lacks, or the encoding can't be written
            back without changing other bytes.
        """
        if self.encoding != "utf-8":
            data = self._encoded(data)
        return _compress(self.mark + data, self.compression)

    def _encoded(self, data: bytes) -> bytes:
        before = self.data.decode("utf-8").encode(self.encoding)
        if hashlib.sha256(_raw_text(self.path, self.mark)).digest() != _digest(before):
            raise InputError(
                str(self.path),
                f"is {self.encoding}, where the same text can be written in several ways, and "
                "this file is not written as Python would",
                "Convert it to UTF-8 first",
            )
        try:
            return data.decode("utf-8").encode(self.encoding)
        except UnicodeEncodeError as error:
            raise InputError(
                str(self.path),
                f"is {self.encoding}, which has no {error.object[error.start]!r}",
                "Convert it to UTF-8 first, or use another label",
            ) from error


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _raw_text(path: Path, mark: bytes) -> bytes:
    return _decompress(path, _read(path))[0][len(mark) :]


def check_file(path: str | Path) -> Path:
    """Return `path` as a Path if it is a file that exists; raise InputError otherwise."""
    path = Path(path)
    try:
        folder, there, regular = path.is_dir(), path.exists(), path.is_file()
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        raise _not_readable(path, error) from error
    if folder:
        raise InputError(str(path), "is a folder, and a file is expected", "Name the file")
    if not there:
        raise InputError(str(path), "does not exist", "Check the path")
    if not regular:
        raise InputError(str(path), "is not a regular file", "Save it to disk first")
    return path


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; raise InputError if it can't be a path."""
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:
        raise _not_readable(path, error) from error


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file, by which its format is known."""
    try:
        with open(path, "rb") as file:
            return file.read(16)
    except OSError as error:
        raise _not_readable(path, error) from error


def first_text(path: Path, *, encoding: str | None = None) -> str:
    """Return the first characters of a text file, unpacked; "" where it can't be unpacked.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        As for `read_text`. What is no text in it is replaced: whoever reads the file says so.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(_HEAD)
            content = _unpacked_head(raw, file)
    except (OSError, EOFError, zlib.error, pa.ArrowException):
        return ""
    name, mark = _resolve(content, encoding)
    decoder = codecs.getincrementaldecoder(name)("replace")
    try:
        return decoder.decode(content[len(mark) :])
    except ValueError:  # encodings that can't replace
        return ""


def _unpacked_head(raw: bytes, file: BinaryIO) -> bytes:
    """Return the first bytes of what a file holds, packed or not."""
    compression = next((name for magic, name in _COMPRESSIONS if raw.startswith(magic)), "")
    if not compression:
        return raw
    if compression == "gzip":
        return zlib.decompressobj(wbits=31).decompress(raw, _HEAD)
    file.seek(0)
    with pa.CompressedInputStream(pa.PythonFile(file), compression) as stream:
        head: bytes = stream.read(_HEAD)
        return head


def _not_readable(path: Path, error: Exception) -> InputError:
    """Say that the system refused a file."""
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(str(path), f"cannot be read ({reason})", "Check its name and permissions")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _not_readable(path, error) from error


def read_text(path: str | Path, *, encoding: str | None = None) -> TextFile:
    """Read a text file, plain or compressed with gzip or zstd.

    Parameters
    ----------
    path : str or Path
    encoding : str, optional
        Name of the encoding. If not given: what the byte-order mark says, else UTF-8.

    Raises
    ------
    InputError
        The file can't be read, is empty, is damaged, or is not text in this encoding.
    """
    path = check_file(path)
    raw = _read(path)
    sha256 = hashlib.sha256(raw).hexdigest()
    content, compression = _decompress(path, raw)
    name, mark = _resolve(content, encoding)
    if encoding is None and not mark and b"\0" in content[:4096]:
        raise InputError(
            f"{path}: byte {content.index(0)}",
            "is NUL: the file is binary, or UTF-16 without a byte-order mark",
            "Name a text file, or pass encoding='utf-16'",
        )
    body = content[len(mark) :] if mark else content
    data = _as_utf8(path, body, name, len(mark))
    if not (data[:4096].strip() or data.strip()):
        raise InputError(str(path), "is empty", "Name a file that has rows")
    return TextFile(path, data, name, mark, compression, sha256)


def _decompress(path: Path, raw: bytes) -> tuple[bytes, str]:
    for magic, compression in _COMPRESSIONS:
        if raw.startswith(magic):
            return unpack(path, raw, compression), compression
    return raw, ""


def _compress(data: bytes, compression: str) -> bytes:
    if compression == "gzip":
        return gzip.compress(data, compresslevel=6, mtime=0)  # the same bytes on every day
    if compression == "zstd":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, compression) as stream:
            stream.write(data)
        compressed: bytes = sink.getvalue().to_pybytes()
        return compressed
    return data


def _resolve(content: bytes, encoding: str | None) -> tuple[str, bytes]:
    """Return the encoding of the text after the byte-order mark, and the mark."""
    family = "" if encoding is None else _codec_name(encoding)
    for mark, name in _MARKS:
        if content.startswith(mark) and name.startswith(family):
            return name, mark
    if family in ("utf-16", "utf-32"):
        return f"{family}-le", b""
    return family or "utf-8", b""


def _codec_name(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # refuses codecs that are not of text, such as hex
    except (LookupError, ValueError) as error:
        raise InputError(
            "encoding", f"is {encoding!r}, which Python does not know", "Use e.g. latin-1 or cp1252"
        ) from error
    return name.removesuffix("-sig")


def _as_utf8(path: Path, body: bytes, encoding: str, skipped: int) -> bytes:
    """Return text as UTF-8; UTF-8 itself is checked in pieces and not copied."""
    start = 0
    try:
        if encoding != "utf-8":
            return body.decode(encoding).encode("utf-8")
        while start < len(body):
            stop = body.find(b"\n", start + _CHUNK) + 1 or len(body)
            str(memoryview(body)[start:stop], "utf-8")
            start = stop
        return body
    except UnicodeEncodeError as error:  # half a surrogate pair, e.g. of utf-7
        raise InputError(
            str(path), f"holds half a character ({error.reason})", "Save it as UTF-8"
        ) from error
    except UnicodeDecodeError as error:
        at = start + error.start
        before = body[:at].decode(encoding, "replace").encode("utf-8", "replace")
        raise InputError(
            f"{path}: line {line_number(before, len(before))}, byte {skipped + at}",
            f"is not {encoding.upper()} ({error.reason}: {body[at : at + 1].hex()})",
            "Pass its encoding, e.g. latin-1 or cp1252, or save it as UTF-8",
        ) from error


def line_number(data: bytes, position: int) -> int:
    """Return the number, from 1, of the line that a position in UTF-8 text is on."""
    cr, crlf = data.count(b"\r", 0, position), data.count(b"\r\n", 0, position)
    return data.count(b"\n", 0, position) + cr - crlf + 1
