"""How many pages a PDF has at most, and how much text: the sum that a document is held by."""

from adapters.wires.pdf.measure import PdfSize, measure_pdf
from adapters.wires.pdf.syntax import Effort

__all__ = ["Effort", "PdfSize", "measure_pdf"]
