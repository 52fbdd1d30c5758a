"""What is drawn on a page of a receipt: its ink, its rules, and the letters that it has."""

from __future__ import annotations

import unicodedata

from fpdf import FPDF

LEFT, WIDTH = 20.0, 170.0
"""Where text begins, and how far it goes, in millimetres."""

_FONT = "helvetica"
_INK = (29, 32, 37)
_QUIET = (104, 109, 118)
_LINE = (215, 218, 222)


def ink(page: FPDF, *, size: float, style: str = "", quiet: bool = False) -> None:
    """Choose how the next text is written; the size is in points."""
    page.set_font(_FONT, style, size)
    page.set_text_color(*(_QUIET if quiet else _INK))


def rule(page: FPDF) -> None:
    """Draw a line across the page."""
    page.set_draw_color(*_LINE)
    page.line(LEFT, page.get_y(), LEFT + WIDTH, page.get_y())
    page.ln(1.5)


def latin(text: str) -> str:
    """Return text in letters of the built-in font: others lose their marks, or become ``?``."""
    letters = []
    for letter in text:
        kept = letter
        if not _is_latin(letter):
            kept = "".join(
                part for part in unicodedata.normalize("NFKD", letter) if _is_latin(part)
            )
        is_mark = unicodedata.combining(letter) != 0
        letters.append(kept or ("" if is_mark else "?"))
    return "".join(letters)


def _is_latin(letter: str) -> bool:
    return letter.encode("latin-1", "ignore") != b""
