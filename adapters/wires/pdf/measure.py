"""How many pages a PDF has at most, and how many bytes of text.

Providers give a model the text of a PDF and a picture of each page. A small file can have very
many of both: pages may share what they show, drawings may draw drawings, a letter may stand for
a sentence. So everything is added up as often as it can be shown, and a file in which that is
not clear has no size: it is held by the model's whole context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.wires.pdf.file import PdfFile, Stream, read_file
from adapters.wires.pdf.syntax import Effort, Reference, Text, UnreadableError, Value
from adapters.wires.pdf.text import (
    LONGEST_LETTER,
    Shown,
    longest_mapped,
    longest_name,
    names_in,
    shown_by,
)

_STEP = 2
_MAX_DEPTH = 40
_MOST = 1 << 40

# Text that is shown as often as a form says, files within the file, pages made by programs.
_UNCLEAR = frozenset({b"AcroForm", b"XFA", b"EF", b"EmbeddedFiles", b"Collection", b"RC"})
_FONTS_WITH_NAMES = (b"FontFile", b"FontFile3")
"""Where a font says itself what its codes mean, it does so by names in these."""

_MAPS = (b"ToUnicode", b"UseCMap")
_WIDE_CODES = frozenset({b"Identity-H", b"Identity-V"})


class PdfSize(NamedTuple):
    """What a document comes to at most.

    Attributes:
        pages: How many pages it has.
        text_bytes: Bytes of UTF-8 of the text on them, with the spaces between letters.
    """

    pages: int
    text_bytes: int


def measure_pdf(data: bytes, effort: Effort) -> PdfSize | None:
    """Return the most that a document comes to; None where nothing in it bounds that.

    It fails for no bytes at all.

    Args:
        data: The file.
        effort: What may be spent on it; less is left afterwards.
    """
    try:
        return _Measure(read_file(data, effort), effort).size()
    except (UnreadableError, RecursionError):
        return None


class _Sum(NamedTuple):
    """Pages, and what is shown on them."""

    pages: int = 0
    letters: int = 0
    strings: int = 0

    def plus(self, other: _Sum) -> _Sum:
        total = _Sum(*map(sum, zip(self, other, strict=True)))
        if max(total) > _MOST:
            raise UnreadableError
        return total

    def or_more(self, other: _Sum) -> _Sum:
        return _Sum(*map(max, zip(self, other, strict=True)))


@dataclass
class _Measure:
    file: PdfFile
    effort: Effort
    _nodes: dict[int, _Sum | None] = field(default_factory=dict)
    _shown: dict[int, Shown] = field(default_factory=dict)

    def size(self) -> PdfSize:
        every = [value for values in self.file.objects.values() for value in values]
        everywhere = _parts_of([*every, *self.file.trailers])
        self.dicts = [each for each in everywhere if isinstance(each, dict)]
        if any(not _UNCLEAR.isdisjoint(each) for each in self.dicts):
            raise UnreadableError
        self._refuse_other_readings()
        self._streams = [each for each in every if isinstance(each, Stream)]
        self._form = self._longest_form()
        shown = self._by_tree().or_more(self._by_type())
        if not shown.pages:
            raise UnreadableError
        letters = shown.letters // self._bytes_per_letter()
        said_beside = _letters_in(_parts_of(every))
        text = letters * (self._longest_letter() + 1) + shown.strings + said_beside * LONGEST_LETTER
        if max(shown.pages, text) > _MOST:
            raise UnreadableError
        return PdfSize(shown.pages, text)

    def _refuse_other_readings(self) -> None:
        """Refuse what a piece of text is to be read as, where that can be said many times.

        In a tag of the document it stands once, and within a page it is a string of the page.
        """
        for table in self._under(b"Properties"):
            for entry in table.values() if isinstance(table, dict) else []:
                if any(isinstance(e, dict) and b"ActualText" in e for e in self._values(entry)):
                    raise UnreadableError
        said = [each[b"ActualText"] for each in self.dicts if b"ActualText" in each]
        if not all(type(each) is Text for each in said):
            raise UnreadableError

    def _values(self, value: Value) -> list[Value]:
        """Return all that a value may stand for; files that keep us busy end here."""
        return self.file.values(value, self.effort)

    def _step(self, steps: int) -> None:
        self.effort.spend(steps * _STEP)

    def _under(self, name: bytes) -> list[Value]:
        """Return all that stands under a name anywhere, each once."""
        values = (each for one in self.dicts if name in one for each in self._values(one[name]))
        return list({id(each): each for each in values}.values())

    def _by_tree(self) -> _Sum:
        """Add up the pages as readers find them: from the catalogue down."""
        total = _Sum()
        for catalogue in self.dicts:
            if b"Pages" in catalogue:
                total = total.or_more(self._node(catalogue[b"Pages"], 0))
        return total

    def _by_type(self) -> _Sum:
        """Add up all pages there are, as readers do who cannot find the tree."""
        total = _Sum()
        for values in self.file.objects.values():
            most = _Sum()
            for value in values:
                if isinstance(value, dict) and value.get(b"Type") == b"Page":
                    most = most.or_more(self._page(value))
            total = total.plus(most)
        return total

    def _node(self, node: Value, depth: int) -> _Sum:
        """Return what lies below a node of the tree, as often as the node is named."""
        number = node.number if type(node) is Reference else None
        if number is not None and number in self._nodes:
            known = self._nodes[number]
            if known is None:  # it lies below itself
                raise UnreadableError
            return known
        if depth > _MAX_DEPTH:
            raise UnreadableError
        if number is not None:
            self._nodes[number] = None
        total = _Sum()
        for value in self._values(node):
            if isinstance(value, dict):
                # Some readers believe what each node claims, and add that up.
                claimed = value.get(b"Count")
                claim = _Sum(pages=claimed if type(claimed) is int else 0)
                total = total.or_more(claim).or_more(self._below(value, depth))
        if number is not None:
            self._nodes[number] = total
        return total

    def _below(self, node: dict[bytes, Value], depth: int) -> _Sum:
        if b"Kids" not in node:
            return self._page(node)
        most = _Sum()
        for kids in self._values(node[b"Kids"]):
            total = _Sum()
            for kid in kids if isinstance(kids, list) else []:
                self._step(1)
                total = total.plus(self._node(kid, depth + 1))
            most = most.or_more(total)
        return most

    def _page(self, page: dict[bytes, Value]) -> _Sum:
        total = _Sum(pages=1)
        contents = self._listed(page.get(b"Contents"))
        for content in contents:
            total = total.plus(self._largest(content, alone=len(contents) == 1))
        for note in self._listed(page.get(b"Annots")):
            total = total.plus(self._note(note))
        return total

    def _listed(self, value: Value) -> list[Value]:
        """Return the members of a list, or the one thing that stands in its place."""
        members: list[Value] = []
        for each in self._values(value):
            if isinstance(each, list):
                self._step(len(each))
                members += each
            elif each is not None:
                members.append(each)
        return members

    def _largest(self, content: Value, *, alone: bool) -> _Sum:
        most = _Sum()
        for stream in self._values(content):
            if isinstance(stream, Stream):
                # What one part leaves open, the next may be inside of.
                if not (alone or self._shown_by(stream).clear):
                    raise UnreadableError
                most = most.or_more(self._text_of(stream))
            elif stream is not None:
                raise UnreadableError
        return most

    def _text_of(self, stream: Stream) -> _Sum:
        shown = self._shown_by(stream)
        total = _Sum(0, shown.letters, shown.strings)
        return total.plus(_times(self._form, shown.drawings))

    def _note(self, note: Value) -> _Sum:
        """Return what a note on a page says, and what it looks like."""
        most = _Sum()
        for value in self._values(note):
            if not isinstance(value, dict):
                continue
            self._step(len(value))
            members = [each for one in value.values() for each in self._values(one)]
            letters = sum(self._said(each) for each in members if not isinstance(each, Stream))
            said = _Sum(0, letters, letters)
            most = most.or_more(said.plus(self._look(value)) if b"AP" in value else said)
        return most

    def _said(self, value: Value) -> int:
        """Return the length of all strings in a value, which many notes may have in common."""
        parts = list(_parts_of(value))
        self.effort.spend(len(parts))
        return _letters_in(parts)

    def _look(self, note: dict[bytes, Value]) -> _Sum:
        """Return the most that a note looks like in any of its states."""
        pending = list(self._values(note[b"AP"]))
        while pending:
            look = pending.pop()
            if isinstance(look, Stream):
                if look.fields.get(b"Subtype") != b"Form":
                    raise UnreadableError
            elif isinstance(look, dict):
                self._step(len(look))
                pending += (value for each in look.values() for value in self._values(each))
        return self._form

    def _shown_by(self, stream: Stream) -> Shown:
        if (shown := self._shown.get(id(stream))) is None:
            shown = self._shown[id(stream)] = shown_by(self._bytes_of(stream), self.effort)
        return shown

    def _forms(self) -> list[Stream]:
        """Return what can be drawn by name. Some readers draw all that is no image."""
        forms = [each for each in self._streams if each.fields.get(b"Subtype") == b"Form"]
        for table in self._under(b"XObject"):
            for entry in table.values() if isinstance(table, dict) else []:
                drawn = (each for each in self._values(entry) if isinstance(each, Stream))
                forms += (each for each in drawn if each.fields.get(b"Subtype") != b"Image")
        return list({id(each): each for each in forms}.values())

    def _longest_form(self) -> _Sum:
        """Return the most text that a drawing shows which pages, notes and drawings can draw."""
        forms = [self._shown_by(each) for each in self._forms()]
        longest = _Sum()
        # One that draws may draw one that draws: as deep as there are such.
        for _ in range(1 + sum(1 for each in forms if each.drawings)):
            deeper = longest
            self._step(len(forms) * 8)
            for each in forms:
                own = _Sum(0, each.letters, each.strings)
                deeper = deeper.or_more(own.plus(_times(longest, each.drawings)))
            if deeper == longest:
                break
            longest = deeper
        return longest

    def _bytes_per_letter(self) -> int:
        """Return 2 where every font has codes of two bytes, and 1 where any may be shorter."""
        fonts: list[Value] = []
        for table in self._under(b"Font"):
            fonts += table.values() if isinstance(table, dict) else [table]
        values = [value for font in fonts for value in self._values(font) if value is not None]
        wide = all(
            isinstance(value, dict)
            and value.get(b"Subtype") == b"Type0"
            and value.get(b"Encoding") in _WIDE_CODES
            for value in values
        )
        return 2 if values and wide else 1

    def _bytes_of(self, value: Value) -> bytes:
        """Return the bytes of a stream. One that says it is an image hides them."""
        if not isinstance(value, Stream):
            return b""
        if value.data is None:
            raise UnreadableError
        return value.data

    def _longest_letter(self) -> int:
        for key in _MAPS:
            for each in self._under(key):
                self._bytes_of(each)
        maps = (each.data for each in self._streams if each.data is not None)
        mapped = longest_mapped(maps, self.effort)
        fonts = [self._bytes_of(each) for key in _FONTS_WITH_NAMES for each in self._under(key)]
        names = list(names_in(fonts, self.effort))
        for listed in self._under(b"Differences"):
            if isinstance(listed, list):
                names += (each for each in listed if isinstance(each, bytes))
        return max(LONGEST_LETTER, mapped, longest_name(names))


def _times(shown: _Sum, count: int) -> _Sum:
    total = _Sum(*(each * count for each in shown))
    return _Sum().plus(total)


def _parts_of(value: Value) -> Iterator[Value]:
    """Return a value and all within it, dictionaries of streams too."""
    pending = [value]
    while pending:
        each = pending.pop()
        yield each
        if isinstance(each, Stream):
            pending.append(each.fields)
        elif isinstance(each, dict):
            pending += each.values()
        elif isinstance(each, list):
            pending += each


def _letters_in(parts: Iterable[Value]) -> int:
    """Return the length of all strings among the parts of a value."""
    return sum(each.length for each in parts if type(each) is Text)
