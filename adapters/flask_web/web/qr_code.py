"""QR codes, drawn into a page."""

from __future__ import annotations

import segno
from markupsafe import Markup

_DENSE = 80
"""Modules side by side in a code of more than some 400 characters."""


def drawn(text: str) -> Markup:
    """Return a QR code as SVG without styles or scripts, dark on white in the dark too.

    Each of its modules is a few pixels wide, so a longer text is a wider code.
    """
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(
        border=4,
        dark="#000",
        light="#fff",
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        title="QR code",
    )
    side, _ = code.symbol_size(border=4)
    side *= 4 if side < _DENSE else 3
    # Beside the box of its drawing it gets a size, so that it shrinks where there is less room.
    # segno draws squares from numbers: nothing of the text is in it.
    return Markup(svg.replace("<svg ", f'<svg width="{side}" height="{side}" ', 1))  # noqa: S704
