"""Receipts and credit notes of a person's payments, as page and as PDF."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template

from adapters.flask_web.context import services
from adapters.flask_web.web import qr_code
from adapters.flask_web.web.account import account, allowed
from creditcore.domain.access import Action
from creditcore.domain.documents import DocumentKind
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import Credits

blueprint = Blueprint("receipts", __name__, url_prefix="/dashboard/billing/receipts")


@blueprint.get("/<reference>")
@allowed(Action.BUY_CREDITS)
def show(reference: str) -> str:
    """Show the receipt of a payment, and a credit note for each of its refunds."""
    try:
        documents = services().payments.documents.issue(reference, owner_id=account().id)
    except InvalidRequestError:
        # What was not paid has none.
        abort(404)
    stamped = services().payments.stamps.beside(documents)
    return render_template(
        "billing/receipts.html",
        page="billing",
        stamped=stamped,
        drawn=qr_code.drawn,
        reference=reference,
        receipts=DocumentKind.RECEIPT,
        credited={row.name: Credits.parse(row.details["credits"]) for row in documents},
    )


@blueprint.get("/<reference>/<name>.pdf")
@allowed(Action.BUY_CREDITS)
def download(reference: str, name: str) -> Response:
    """Send one document of a payment as PDF."""
    try:
        documents = services().payments.documents.issue(reference, owner_id=account().id)
    except InvalidRequestError:
        abort(404)
    document = next((row for row in documents if row.name == name), None)
    if document is None:
        abort(404)
    [stamped] = services().payments.stamps.beside([document])
    return Response(
        services().print_document(stamped),
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{document.name}.pdf"'},
    )
