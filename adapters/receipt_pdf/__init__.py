"""Receipts and credit notes as PDF."""

from creditcore.domain.fiscal_stamps import StampedDocument

__all__ = ["render"]


def render(stamped: StampedDocument) -> bytes:
    """Return a document, with its fiscal stamp, as a PDF of one page; of two where that is long."""
    # The library's fonts take half a second to import; commands and most processes never print.
    from adapters.receipt_pdf.document import render

    return render(stamped)
