"""Receipts and credit notes as PDF."""

from adapters.receipt_pdf.document import render

__all__ = ["render"]
