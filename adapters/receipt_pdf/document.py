"""One A4 page: who sold what to whom, and the tax in it."""

from __future__ import annotations

from datetime import datetime

from fpdf import FPDF, Align, XPos, YPos

from adapters.receipt_pdf import stamp
from adapters.receipt_pdf.ink import LEFT, WIDTH, ink, latin, rule
from creditcore.domain.documents import Document, DocumentKind
from creditcore.domain.fiscal_stamps import StampedDocument
from creditcore.domain.money import Money

_LABEL_WIDTH = 45.0
_MONEY_WIDTH = 42.0
_FOOT = 34.0

_TITLES = {DocumentKind.RECEIPT: "Receipt", DocumentKind.CREDIT_NOTE: "Credit note"}
_CHANNELS = {
    "card": "Card",
    "mobile_money": "Mobile money",
    "bank_transfer": "Bank transfer",
    "apple_pay": "Apple Pay",
}


def render(stamped: StampedDocument) -> bytes:
    """Return a document, with its fiscal stamp, as a PDF of one page; of two where that is long."""
    document = stamped.document
    page = FPDF(format="A4")
    page.set_margins(LEFT, 22, LEFT)
    page.set_auto_page_break(auto=False)
    # Text begins and ends where the rules do.
    page.c_margin = 0
    # The same document is the same bytes, whenever it is printed.
    page.set_creation_date(document.issued_at)
    page.set_title(latin(f"{_TITLES[document.kind]} {document.name}"))
    page.set_lang("en")
    page.add_page()
    _head(page, document)
    _parties(page, document)
    _amounts(page, document)
    _facts(page, document)
    stamp.draw(page, stamped)
    _foot(page, document)
    return bytes(page.output())


def _head(page: FPDF, document: Document) -> None:
    ink(page, size=22, style="B")
    page.cell(110, 10, _TITLES[document.kind])
    ink(page, size=13, style="B")
    page.cell(60, 10, document.name, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    ink(page, size=10, quiet=True)
    page.cell(110, 6, f"{document.issued_at:%-d %B %Y}")
    original = "" if document.original is None else f"Corrects receipt R-{document.original:06d}"
    page.cell(60, 6, original, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(8)


def _parties(page: FPDF, document: Document) -> None:
    details = document.details
    seller = [details.get("seller_name", ""), *details.get("seller_address", "").split(",")]
    if details.get("seller_tax_number"):
        seller.append(f"Tax number {details['seller_tax_number']}")
    buyer = [line for line in document.buyer_lines if _can_be_read(line)]
    if len(buyer) < len(document.buyer_lines):
        buyer.append("More in another script: see the receipt's page.")
    top = page.get_y()
    ends = []
    for left, title, lines in ((LEFT, "From", seller), (LEFT + 85, "To", buyer)):
        page.set_xy(left, top)
        ink(page, size=9, quiet=True)
        page.cell(80, 5, title, new_x=XPos.LEFT, new_y=YPos.NEXT)
        for number, line in enumerate(part.strip() for part in lines if part.strip()):
            ink(page, size=10, style="" if number else "B")
            page.multi_cell(80, 5.2, latin(line), align=Align.L, new_x=XPos.LEFT, new_y=YPos.NEXT)
        ends.append(page.get_y())
    page.set_xy(LEFT, max(ends) + 9)


def _amounts(page: FPDF, document: Document) -> None:
    is_receipt = document.kind is DocumentKind.RECEIPT
    what = "Credit for AI inference" if is_receipt else "Credit for AI inference, refunded"
    ink(page, size=9, quiet=True)
    page.cell(WIDTH - _MONEY_WIDTH, 6, "Description")
    page.cell(_MONEY_WIDTH, 6, "Amount", align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    rule(page)
    rows = [(what, document.net, "")]
    if document.tax_rate:
        rows.append((f"VAT {document.rate_text} %", document.tax, ""))
    rows.append(("Total" if is_receipt else "Total refunded", document.gross, "B"))
    for label, amount, style in rows:
        if style:
            rule(page)
        ink(page, size=11, style=style)
        page.cell(WIDTH - _MONEY_WIDTH, 8, label)
        text = _money(amount)
        page.cell(_MONEY_WIDTH, 8, text, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(8)


def _facts(page: FPDF, document: Document) -> None:
    details = document.details
    paid_at = details.get("paid_at", "")
    channel = details.get("channel", "")
    facts = [
        ("Payment", document.purchase),
        ("Paid on", f"{datetime.fromisoformat(paid_at):%-d %B %Y, %H:%M} UTC" if paid_at else ""),
        ("Paid by", _CHANNELS.get(channel, channel.replace("_", " ").capitalize())),
        ("Provider's number", details.get("provider_id", "")),
        ("Mobile money code", details.get("receipt_code", "")),
        ("Value", details.get("value", "")),
        ("Exchange rate", details.get("rate", "")),
        (
            "Credits" if document.kind is DocumentKind.RECEIPT else "Credits taken back",
            f"{details.get('credits', '')} (1 credit is 1 US cent of balance)",
        ),
        ("Balance before", details.get("balance_before", "")),
        ("Balance after", details.get("balance_after", "")),
        ("Reason", details.get("reason", "")),
    ]
    for label, text in facts:
        if text:
            if page.get_y() > page.h - _FOOT:
                page.add_page()
            ink(page, size=10, quiet=True)
            page.cell(_LABEL_WIDTH, 6, label)
            ink(page, size=10)
            page.multi_cell(
                WIDTH - _LABEL_WIDTH,
                6,
                latin(text),
                align=Align.L,
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )


def _foot(page: FPDF, document: Document) -> None:
    page.set_y(-26)
    rule(page)
    ink(page, size=8, quiet=True)
    rate = document.rate_text
    tax = f"The total includes {rate} % VAT." if document.tax_rate else "No VAT is charged."
    page.cell(WIDTH, 6, tax)


def _money(amount: Money) -> str:
    whole, cents = divmod(amount.minor_units, 100)
    return f"{amount.currency} {whole:,}.{cents:02d}"


def _can_be_read(line: str) -> bool:
    """Whether a line still says the same in the letters of the built-in font."""
    lost = sum(latin(letter) == "?" != letter for letter in line)
    return 2 * lost < len(line)
