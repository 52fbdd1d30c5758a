"""Movements of credits and purchases, for programs."""

from __future__ import annotations

from flask import Blueprint

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.operations import READER, operation
from adapters.flask_web.api.paging import Page, next_cursor
from adapters.flask_web.api.shapes import (
    PurchaseList,
    PurchaseShape,
    TransferList,
    TransferShape,
)
from adapters.flask_web.context import services
from creditcore.domain.access import Action, require
from creditcore.domain.ledger import Transfer
from creditcore.domain.money import Money
from creditcore.domain.purchases import Purchase

blueprint = Blueprint("api_money", __name__)


@operation(blueprint, "GET", "/api/v1/transactions", scopes=READER, query=Page, answer=TransferList)
def list_transactions(caller: Caller, query: Page) -> TransferList:
    """List movements of credits beside those of calls, newest first."""
    with services().transactions.begin() as tx:
        found = tx.ledger.transfers_of(caller.wallet_id, limit=query.limit + 1, before=query.start)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return TransferList(
        data=[_transfer(transfer) for transfer in shown],
        next_cursor=next_cursor(shown[-1].at, shown[-1].reference) if more else None,
    )


@operation(blueprint, "GET", "/api/v1/purchases", scopes=READER, query=Page, answer=PurchaseList)
def list_purchases(caller: Caller, query: Page) -> PurchaseList:
    """List purchases of credits, newest first. In a team this takes an admin."""
    require(caller.viewer, Action.BUY_CREDITS)
    with services().transactions.begin() as tx:
        found = tx.purchases.list_of(caller.owner_id, limit=query.limit + 1, before=query.start)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return PurchaseList(
        data=[_purchase(purchase) for purchase in shown],
        next_cursor=next_cursor(shown[-1].created_at, shown[-1].reference) if more else None,
    )


def _transfer(transfer: Transfer) -> TransferShape:
    sign = "" if transfer.to_account == transfer.wallet_id else "-"
    return TransferShape(
        reference=transfer.reference,
        kind=str(transfer.kind),
        amount=f"{sign}{transfer.amount}",
        at=transfer.at,
        note=transfer.note,
    )


def _purchase(purchase: Purchase) -> PurchaseShape:
    offer = purchase.offer
    return PurchaseShape(
        reference=purchase.reference,
        state=str(purchase.state),
        amount=_decimal(offer.price),
        currency=offer.price.currency,
        value_usd=_decimal(offer.value),
        credits=str(offer.sold + offer.bonus),
        created_at=purchase.created_at,
        expires_at=purchase.expires_at,
        closed_at=purchase.closed_at,
    )


def _decimal(money: Money) -> str:
    return str(money).partition(" ")[2]
