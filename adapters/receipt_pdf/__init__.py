"""Receipts and credit notes as PDF."""

from creditcore.domain.documents import Document

__all__ = ["render"]


def render(document: Document) -> bytes:
    """Return the document as a PDF of one page."""
    # The library's fonts take half a second to import; commands and most processes never print.
    from adapters.receipt_pdf.document import render

    return render(document)
