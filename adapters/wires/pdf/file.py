"""The objects of a PDF file, wherever they stand: each of them, not only those in use.

A reader finds objects by a table of places. Which of several objects of one number it finds,
depends on the reader; so all of them are returned, and the largest counts. A file is only read
if no reader could find one that is not among them: nothing may stand between objects, streams
must end where they say, and the tables must point to the objects that they name.
"""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property

from adapters.wires.pdf.syntax import (
    SKIPPED,
    Effort,
    Reader,
    Reference,
    UnreadableError,
    Value,
)

MAX_INFLATED_BYTES = 6 * 1024 * 1024
"""Of one stream."""

# Bytes that take a microsecond.
_RAW, _INFLATED, _ASCII = 128, 32, 4

_STEP = 2
"""Microseconds for each value on the way of a reference."""

_MAX_ENTRIES = 20_000
_MAX_PERCENT = 400_000
"""Signs that may begin a comment: four times those in 24 MB of noise."""

_OBJECT = re.compile(rb"([0-9]{1,10})[\0\t\n\f\r ]+[0-9]{1,5}[\0\t\n\f\r ]+obj")
_STREAM = re.compile(rb"stream(?:\r\n|\n)")
_END_OF_STREAM = re.compile(rb"[\0\t\n\f\r ]*endstream")
_NUMBER_OF_LABEL = re.compile(
    rb"(?:\A|[^0-9])([0-9]{1,10})[\0\t\n\f\r ]+[0-9]{1,5}[\0\t\n\f\r ]+\Z"
)
_LENGTH = re.compile(rb"obj[\0\t\n\f\r ]+([0-9]{1,9})[\0\t\n\f\r ]+endobj")
_TABLE = re.compile(rb"xref[\0\t\n\f\r ]+")
_SECTION = re.compile(rb"([0-9]{1,10}) ([0-9]{1,7})[ \r\n]+")
_ENTRY = re.compile(rb"([0-9]{10}) [0-9]{5} ([nf])(?: \r| \n|\r\n|\n|\r)")
_START = re.compile(rb"startxref[\0\t\n\f\r ]+[0-9]{1,10}(?![0-9])")
_IMAGE_FILTERS = frozenset({b"DCTDecode", b"JPXDecode", b"CCITTFaxDecode", b"JBIG2Decode"})
_SPACES = b"\0\t\n\f\r "
_BEFORE_WORD = frozenset(_SPACES + b"0123456789")
_LONGEST_LABEL = 24
_SLACK = 4
"""Some writers point to the end of the line before an object."""

_END_OF_ZIP = b"PK\x05\x06"


@dataclass(slots=True)
class Stream:
    """An object with bytes.

    Attributes:
        fields: Its dictionary.
        data: Its bytes, inflated; None where they are those of an image.
    """

    fields: dict[bytes, Value]
    data: bytes | None


@dataclass(slots=True)
class PdfFile:
    """What stands in a file.

    Attributes:
        objects: By number all values that an object of this number has anywhere.
        trailers: The dictionaries that say where to begin.
    """

    objects: dict[int, list[Value]] = field(default_factory=dict)
    trailers: list[dict[bytes, Value]] = field(default_factory=list)

    def add(self, number: int, value: Value) -> None:
        """Note one more value of an object."""
        self.objects.setdefault(number, []).append(value)

    def values(self, value: Value, effort: Effort) -> list[Value]:
        """Return all that a value may stand for: itself, or what a reference may lead to.

        Raises:
            UnreadableError: Finding them takes more effort than is left.
        """
        seen: set[int] = set()
        found: list[Value] = []
        pending = [value]
        while pending:
            each = pending.pop()
            effort.spend(_STEP)
            if type(each) is not Reference:
                found.append(each)
            elif each.number not in seen:
                seen.add(each.number)
                pending += self.objects.get(each.number, ())
        return found


def read_file(data: bytes, effort: Effort) -> PdfFile:
    """Return the objects of a file.

    Raises:
        UnreadableError: It is none, it is encrypted, or readers may find other objects in it.
    """
    effort.spend(len(data) // _RAW)
    # What is a ZIP file as well could be taken for one: of text, say, packed a thousand times.
    if not data.startswith(b"%PDF-") or _END_OF_ZIP in data or data.count(b"%") > _MAX_PERCENT:
        raise UnreadableError
    return _FileReader(data, effort).read()


class _FileReader:
    def __init__(self, data: bytes, effort: Effort) -> None:
        self._data = data
        self._file = PdfFile()
        self._reader = Reader(effort)
        self._effort = effort
        self._places: dict[int, int] = {}
        self._labels: set[int] = set()
        self._packs: dict[int, list[int]] = {}
        self._pointed: list[tuple[int, int]] = []
        self._packed: list[tuple[int, int, int]] = []

    def read(self) -> PdfFile:
        data, at = self._data, 0
        while (at := _skip(data, at)) < len(data):
            self._effort.spend(1)
            if found := _OBJECT.match(data, at):
                at = self._object(found)
            elif found := _TABLE.match(data, at):
                at = self._table(found.end())
            elif data.startswith(b"trailer", at):
                trailer, at = self._reader.value(data, at + len(b"trailer"))
                self._trailer(trailer)
            elif found := _START.match(data, at):
                at = found.end()
            else:
                raise UnreadableError
        self._check_places()
        return self._file

    def _object(self, label: re.Match[bytes]) -> int:
        number = int(label[1])
        self._places[label.start()] = number
        self._labels.add(label.end() - len(b"obj"))
        value, at = self._reader.value(self._data, label.end())
        at = _skip(self._data, at)
        if found := _STREAM.match(self._data, at):
            value, at = self._stream(number, value, found.end())
            at = _skip(self._data, at)
        if not self._data.startswith(b"endobj", at):
            raise UnreadableError
        self._file.add(number, value)
        return at + len(b"endobj")

    def _trailer(self, trailer: Value) -> None:
        if not isinstance(trailer, dict) or b"Encrypt" in trailer:
            raise UnreadableError
        self._file.trailers.append(trailer)

    def _stream(self, number: int, fields: Value, begin: int) -> tuple[Stream, int]:
        if not isinstance(fields, dict) or b"F" in fields:
            raise UnreadableError
        end = begin + self._length(fields.get(b"Length"))
        ending = _END_OF_STREAM.match(self._data, end)
        if ending is None:
            raise UnreadableError
        stream = Stream(fields, self._bytes(fields, self._data[begin:end]))
        kind = fields.get(b"Type")
        if kind == b"ObjStm":
            self._unpack(number, stream)
        elif kind == b"XRef":
            self._trailer(fields)
            self._read_entries(stream)
        return stream, ending.end()

    def _length(self, length: Value) -> int:
        if type(length) is Reference:
            known = self._lengths.get(length.number, [])
            length = known[0] if len(known) == 1 else None
        if type(length) is not int or not 0 <= length <= len(self._data):
            raise UnreadableError
        return length

    @cached_property
    def _lengths(self) -> dict[int, list[int]]:
        """Lengths may stand behind their streams, which cannot be passed over without them."""
        lengths: dict[int, list[int]] = {}
        for at in self._labelled:
            number = _NUMBER_OF_LABEL.search(self._data[max(0, at - _LONGEST_LABEL) : at])
            length = _LENGTH.match(self._data, at)
            if number is not None and length is not None:
                lengths.setdefault(int(number[1]), []).append(int(length[1]))
        return lengths

    @cached_property
    def _labelled(self) -> list[int]:
        """Where the word stands that ends a label; a reader may look for it anywhere."""
        data = self._data
        if data.count(b"obj") > _MAX_ENTRIES * 2:
            raise UnreadableError
        places = []
        at = data.find(b"obj")
        while at >= 0:
            if data[at - 1] in _BEFORE_WORD:
                places.append(at)
            at = data.find(b"obj", at + 1)
        return places

    def _bytes(self, fields: dict[bytes, Value], packed: bytes) -> bytes | None:
        filters = fields.get(b"Filter")
        filters = filters if isinstance(filters, list) else [filters]
        is_image = fields.get(b"Subtype") == b"Image"
        if filters in ([None], []):
            return None if is_image else packed
        if is_image and all(each in _IMAGE_FILTERS | {b"FlateDecode"} for each in filters):
            return None
        if filters == [b"ASCII85Decode", b"FlateDecode"] and b"DecodeParms" not in fields:
            return self._inflate(self._from_ascii(packed))
        if filters != [b"FlateDecode"]:
            raise UnreadableError
        return self._undo_prediction(fields, self._inflate(packed))

    def _from_ascii(self, written: bytes) -> bytes:
        self._effort.spend(len(written) // _ASCII)
        try:
            return base64.a85decode(b"<~" + written, adobe=True)
        except ValueError:
            raise UnreadableError from None

    def _inflate(self, packed: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            data = unpacker.decompress(packed, MAX_INFLATED_BYTES)
        except zlib.error:
            raise UnreadableError from None
        self._effort.spend(len(data) // _INFLATED)
        if not unpacker.eof:
            raise UnreadableError
        return data

    def _undo_prediction(self, fields: dict[bytes, Value], data: bytes) -> bytes:
        how = fields.get(b"DecodeParms", fields.get(b"DP"))
        if isinstance(how, list) and len(how) == 1:
            how = how[0]
        if how is None:
            return data
        if not isinstance(how, dict):
            raise UnreadableError
        predictor, columns = how.get(b"Predictor", 1), how.get(b"Columns", 1)
        if predictor == 1:
            return data
        if type(predictor) is not int or predictor < 10 or type(columns) is not int:
            raise UnreadableError
        if how.keys() - {b"Predictor", b"Columns"}:
            raise UnreadableError
        return _undo_up(data, columns)

    def _unpack(self, number: int, stream: Stream) -> None:
        """Read the objects that are packed into a stream."""
        first, count = stream.fields.get(b"First"), stream.fields.get(b"N")
        data = stream.data
        if type(first) is not int or type(count) is not int or data is None:
            raise UnreadableError
        self._effort.spend(max(count, 0))
        if not 0 <= first <= (count + 1) * _LONGEST_LABEL:
            raise UnreadableError
        head = data[:first].split()
        if len(head) != 2 * count or not all(map(bytes.isdigit, head)):
            raise UnreadableError
        numbers = [int(text) for text in head[::2] if len(text) <= 10]
        if number in self._packs or len(numbers) != count:
            raise UnreadableError
        self._packs[number] = numbers
        for each, offset in zip(numbers, head[1::2], strict=True):
            if len(offset) > 9:
                raise UnreadableError
            value, _ = self._reader.value(data, first + int(offset))
            self._file.add(each, value)

    def _table(self, at: int) -> int:
        while found := _SECTION.match(self._data, at):
            at = found.end()
            self._effort.spend(1 + int(found[2]))
            for number in range(int(found[1]), int(found[1]) + int(found[2])):
                entry = _ENTRY.match(self._data, at)
                if entry is None:
                    raise UnreadableError
                at = entry.end()
                if entry[2] == b"n":
                    self._pointed.append((number, int(entry[1])))
        return at

    def _read_entries(self, stream: Stream) -> None:
        """Read the table of places in a stream."""
        fields, data = stream.fields, stream.data
        widths: Value = fields.get(b"W")
        size = fields.get(b"Size")
        index: Value = fields.get(b"Index", [0, size])
        if data is None or not (_are_counts(widths) and _are_counts(index)) or len(widths) != 3:
            raise UnreadableError
        one, two, three = widths
        at, row = 0, one + two + three
        if not row or len(index) % 2:
            raise UnreadableError
        for first, count in zip(index[::2], index[1::2], strict=True):
            self._effort.spend(1 + min(count, len(data) // row))
            for number in range(first, first + min(count, len(data) // row)):
                entry = data[at : at + row]
                at += row
                kind = int.from_bytes(entry[:one], "big") if one else 1
                place = int.from_bytes(entry[one : one + two], "big")
                if kind == 1 and len(entry) == row:
                    self._pointed.append((number, place))
                elif kind == 2 and len(entry) == row:
                    within = int.from_bytes(entry[one + two :], "big")
                    self._packed.append((number, place, within))

    def _check_places(self) -> None:
        """Tables must name what is there: some readers believe the table, others the object.

        Those who believe neither look for labels, also in strings, comments and streams.
        """
        for number, place in self._pointed:
            near = self._data[place : place + _SLACK]
            if self._places.get(place + len(near) - len(near.lstrip(_SPACES))) != number:
                raise UnreadableError
        for number, pack, within in self._packed:
            numbers = self._packs.get(pack, [])
            if within >= len(numbers) or numbers[within] != number:
                raise UnreadableError
        if not self._labels.issuperset(self._labelled):
            raise UnreadableError


def _skip(data: bytes, at: int) -> int:
    return SKIPPED.match(data, at).end()  # type: ignore[union-attr]  # it matches nothing too


def _are_counts(values: Value) -> bool:
    return isinstance(values, list) and all(
        type(each) is int and 0 <= each < 1 << 32 for each in values
    )


def _undo_up(data: bytes, columns: int) -> bytes:
    """Undo the one prediction that tables of places are written with: by the row above."""
    row = columns + 1
    if not 0 < columns <= _LONGEST_LABEL or len(data) % row or len(data) > row * _MAX_ENTRIES:
        raise UnreadableError
    above = bytes(columns)
    rows = []
    for at in range(0, len(data), row):
        here = data[at + 1 : at + row]
        if data[at] == 2:
            here = bytes((x + y) & 0xFF for x, y in zip(here, above, strict=True))
        elif data[at]:
            raise UnreadableError
        rows.append(here)
        above = here
    return b"".join(rows)
