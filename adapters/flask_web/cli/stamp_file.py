"""Files of fiscal stamps: CSV with the columns of ``stamps list``, or JSON of the same names."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

import click

from adapters.flask_web.cli.document_rows import STAMP_COLUMNS, from_spreadsheet

_DOCUMENT = "document"
_COLUMNS = (_DOCUMENT, *STAMP_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRow:
    """One document's stamp, as the file has it.

    Attributes:
        line: Where it stands: the line of a CSV file, the place in a JSON array from 1.
        document: The document's number; empty where the file has none.
        given: The texts of the stamp; all empty where the line was not filled in.
    """

    line: int
    document: str
    given: Mapping[str, str]

    @property
    def is_blank(self) -> bool:
        """Whether the line says nothing of a stamp."""
        return not any(self.given.values())


def read_stamps(file: TextIO) -> Iterator[StampRow]:
    """Read CSV, or JSON where the file begins with an array, line by line as far as it can.

    Other columns than the document's number and those of its stamp count for nothing.

    Raises:
        click.ClickException: It is neither, or a column is missing.
    """
    try:
        # Spreadsheets put a mark before the text that says how it is encoded.
        first = file.readline().removeprefix("\ufeff")
        if first.lstrip().startswith(("[", "{")):
            yield from _json_rows(first + file.read())
        else:
            yield from _csv_rows(first, file)
    except UnicodeDecodeError:
        raise click.ClickException("The file is not UTF-8 text.") from None


def _csv_rows(first: str, file: TextIO) -> Iterator[StampRow]:
    head = next(csv.reader([first]), [])
    missing = [name for name in _COLUMNS if name not in head]
    if missing:
        raise click.ClickException(
            f"The first line lacks the columns {', '.join(missing)}: take the file that "
            "'stamps list --csv' prints, and fill it in."
        )
    table = csv.DictReader(file, fieldnames=head, restval="")
    try:
        for row in table:
            cells = {name: from_spreadsheet(row[name].strip()) for name in _COLUMNS}
            yield _row_of(table.line_num + 1, cells)
    except csv.Error as error:
        line = table.reader.line_num + 1
        raise click.ClickException(f"Line {line} is no CSV: {error}.") from None


def _json_rows(text: str) -> Iterator[StampRow]:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise click.ClickException(f"The file is no JSON: {error}.") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise click.ClickException("The JSON is no array of objects, one for each document.")
    for place, each in enumerate(found, start=1):
        _check_object(place, each)
    for place, each in enumerate(found, start=1):
        cells = {name: "" if each.get(name) is None else str(each[name]) for name in _COLUMNS}
        yield _row_of(place, {name: text.strip() for name, text in cells.items()})


def _check_object(place: int, found: Mapping[str, object]) -> None:
    for name, value in found.items():
        if name.startswith("stamp_") and name not in _COLUMNS:
            raise click.ClickException(f"Object {place} has {name!r}, which no stamp has.")
        # A device's count may be a number there.
        is_text = value is None or type(value) in {str, int}
        if name in _COLUMNS and not is_text:
            raise click.ClickException(f"Object {place}: {name!r} is no text.")


def _row_of(line: int, cells: Mapping[str, str]) -> StampRow:
    given = {name: cells[column] for column, name in STAMP_COLUMNS.items()}
    return StampRow(line=line, document=cells[_DOCUMENT], given=given)
