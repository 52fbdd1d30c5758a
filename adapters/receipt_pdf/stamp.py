"""What a tax authority's device said of a document, at the end of its page."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import segno
from fpdf import FPDF, Align, XPos, YPos
from fpdf.enums import MethodReturnValue

from adapters.receipt_pdf.ink import LEFT, WIDTH, ink, rule
from creditcore.domain.documents import DocumentKind
from creditcore.domain.fiscal_stamps import FiscalStamp, StampedDocument

_LABEL_WIDTH = 52.0
_LINE_HEIGHT = 6.0
_GAP = 6.0
_QUIET_ZONE = 4
"""Modules of white around a QR code, as its standard asks for; beside it is the margin."""

_LEAST_SIDE = 36.0
_MODULE = 0.4
"""Millimetres: smaller ones are lost where a telephone reads paper."""

_FOOT = 30.0


def draw(page: FPDF, stamped: StampedDocument) -> None:
    """Draw the stamp below what stands on the page, or say that it follows."""
    is_receipt = stamped.document.kind is DocumentKind.RECEIPT
    title = "Tax invoice" if is_receipt else "Tax credit note"
    if stamped.stamp is not None:
        _draw_stamp(page, title, stamped.stamp)
    elif stamped.awaits_stamp:
        page.ln(_GAP)
        ink(page, size=10, style="B")
        page.cell(WIDTH, _LINE_HEIGHT, f"{title} follows.", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _draw_stamp(page: FPDF, title: str, stamp: FiscalStamp) -> None:
    modules = _modules(stamp.qr) if stamp.qr else []
    side = max(_LEAST_SIDE, _MODULE * len(modules)) if modules else 0.0
    lines = [*stamp.lines, ("Signed", f"{stamp.signed_at:%-d %B %Y, %H:%M:%S} UTC")]
    width = WIDTH - _LABEL_WIDTH - (side + _GAP if modules else 0)
    ink(page, size=10)
    heights = [_height(page, text, width) for _, text in lines]
    page.ln(_GAP)
    if page.get_y() + 2 * _LINE_HEIGHT + max(sum(heights), side + _GAP) > page.h - _FOOT:
        page.add_page()
    ink(page, size=11, style="B")
    page.cell(WIDTH, _LINE_HEIGHT, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    rule(page)
    top = page.get_y()
    for label, text in lines:
        ink(page, size=10, quiet=True)
        page.cell(_LABEL_WIDTH, _LINE_HEIGHT, label)
        ink(page, size=10)
        page.multi_cell(
            width,
            _LINE_HEIGHT,
            text,
            align=Align.L,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
    if modules:
        _draw_modules(page, modules, top=top, module=side / len(modules))


def _height(page: FPDF, text: str, width: float) -> float:
    height: Any = page.multi_cell(
        width, _LINE_HEIGHT, text, dry_run=True, output=MethodReturnValue.HEIGHT
    )
    return float(height)


def _modules(text: str) -> list[list[bool]]:
    """Return which modules of a QR code are dark, row by row."""
    code = segno.make(text, error="m", micro=False)
    return [[bool(module) for module in row] for row in code.matrix]


def _draw_modules(page: FPDF, modules: list[list[bool]], *, top: float, module: float) -> None:
    """Draw them up to the right margin, dark ones that stand side by side as one rectangle."""
    left = LEFT + WIDTH - module * len(modules)
    page.set_fill_color(0)
    for number, row in enumerate(modules):
        column = 0
        for is_dark, run in groupby(row):
            length = len(list(run))
            if is_dark:
                page.rect(
                    left + module * column,
                    top + module * (_QUIET_ZONE + number),
                    module * length,
                    module,
                    style="F",
                )
            column += length
