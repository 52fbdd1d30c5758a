"""What operators do to an account: give credits, clear debt, shut out and let in.

Each act has a form, then a page that says what will change, then the act. A reason is asked
for and kept in the activity log.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import blueprint, for_money, page
from adapters.flask_web.admin.people import find_person
from adapters.flask_web.context import services
from adapters.flask_web.web.formatting import credits_text, dollars
from adapters.flask_web.web.session import actor
from creditcore.domain.errors import InvalidRequestError, WalletNotFoundError
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.people import Person

_LONGEST_REASON = 150
_MOST = Credits.of(10_000_000)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done to an account.

    Attributes:
        has_amount: Whether it asks how many credits.
        is_final: Whether it cannot be undone by another act.
    """

    title: str
    button: str
    explanation: str
    has_amount: bool = False
    is_final: bool = False


ACTS = {
    "grant": Act(
        "Give credits",
        "Give the credits",
        "Nobody pays for them, so they lower what a spent credit earns. They cannot be taken back.",
        has_amount=True,
    ),
    "clear-debt": Act(
        "Clear the debt",
        "Clear the debt",
        "What is owed after refunds is written off at your expense; the wallet may spend again.",
    ),
    "block": Act(
        "Shut out",
        "Shut this person out",
        "Ends every session and revokes every key for good. Payments that arrive are credited.",
        is_final=True,
    ),
    "unblock": Act(
        "Let in again",
        "Let this person in",
        "They may sign in again and make new keys; the old keys stay revoked.",
    ),
}


@blueprint.get("/people/<person_id>/<any(grant,'clear-debt',block,unblock):act_name>")
@for_money
def act_form(person_id: str, act_name: str) -> str:
    """Ask for the amount and the reason."""
    return _form(_subject(person_id), act_name)


@blueprint.post("/people/<person_id>/<any(grant,'clear-debt',block,unblock):act_name>")
@for_money
def act(person_id: str, act_name: str) -> str | Response | tuple[str, int]:
    """Show what will change; do it once that is confirmed."""
    subject = _subject(person_id)
    reason = " ".join(request.form.get("reason", "").split())
    errors = {}
    if not reason or len(reason) > _LONGEST_REASON:
        errors["reason"] = f"Give a reason of 1 to {_LONGEST_REASON} characters."
    amount = ZERO
    if ACTS[act_name].has_amount:
        try:
            amount = _credits(request.form.get("credits", ""))
        except InvalidRequestError as error:
            errors["credits"] = str(error)
    if errors:
        return _form(subject, act_name, errors), 400
    if request.form.get("confirmed") != "yes":
        return _form(subject, act_name, preview=_preview(subject, act_name, amount))
    try:
        flash(_do(subject, act_name, amount, reason), "success")
    except InvalidRequestError as error:
        return _form(subject, act_name, {error.param or "form": str(error)}), 400
    return redirect(url_for("admin.person", person_id=person_id))


def _do(subject: _Subject, name: str, amount: Credits, reason: str) -> str:
    person, mine = subject.person, actor()
    match name:
        case "grant":
            attempt = request.form.get("attempt", "")[:100]
            if not attempt or subject.wallet is None:
                raise InvalidRequestError("Open the form again.")
            services().books.grants.grant(
                subject.wallet.id,
                amount,
                reason=reason,
                reference=f"admin:{attempt}",
                actor=mine,
            )
            return f"{person.email} got {credits_text(amount)}."
        case "clear-debt":
            cleared = ZERO
            if subject.wallet is not None:
                cleared = services().payments.debts.clear(
                    subject.wallet.id, reason=reason, actor=mine
                )
            return f"{credits_text(cleared)} of debt were cleared."
        case "block":
            if person.id == mine.id:
                raise InvalidRequestError("You cannot shut yourself out.")
            revoked = services().people.blocks.block(person.id, reason=reason, actor=mine)
            return f"{person.email} is shut out. Keys revoked: {revoked}."
        case _:
            services().people.blocks.unblock(person.id, reason=reason, actor=mine)
            return f"{person.email} may sign in again."


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose account it is; the wallet is None where they have none yet."""

    person: Person
    wallet: Wallet | None


def _subject(person_id: str) -> _Subject:
    with services().transactions.begin() as tx:
        someone = find_person(tx, person_id)
        try:
            return _Subject(someone, tx.ledger.find_wallet_of(someone.id))
        except WalletNotFoundError:
            return _Subject(someone, None)


def _credits(text: str) -> Credits:
    try:
        amount = Credits.parse(text.strip().replace(",", ""))
    except ValueError:
        raise InvalidRequestError("How many credits, such as 200 or 0.5?") from None
    if not ZERO < amount <= _MOST:
        raise InvalidRequestError(f"Between 0 and {credits_text(_MOST)}.")
    return amount


def _preview(subject: _Subject, name: str, amount: Credits) -> str:
    """Say what the act will change."""
    wallet = subject.wallet
    match name:
        case "grant" if wallet is not None:
            after = wallet.with_balance(posted=wallet.posted + amount, held=wallet.held)
            paid_off = f", and {dollars(wallet.owed - after.owed)} pays debt" if wallet.owed else ""
            return (
                f"{credits_text(amount)}: the balance goes from {dollars(wallet.available)} to "
                f"{dollars(after.available)}{paid_off}."
            )
        case "clear-debt":
            return f"{dollars(wallet.owed if wallet else ZERO)} owed becomes $0.00."
        case "block":
            return f"{subject.person.email} can no longer sign in, and no key of theirs opens."
        case "unblock":
            return f"{subject.person.email} can sign in again."
        case _:
            return "They have no wallet yet: nothing can be given."


def _form(
    subject: _Subject, name: str, errors: dict[str, str] | None = None, *, preview: str = ""
) -> str:
    return page(
        "act.html",
        "people",
        act=ACTS[name],
        name=name,
        someone=subject.person,
        balance=subject.wallet,
        errors=errors or {},
        preview=preview,
        typed=request.form,
        attempt=request.form.get("attempt") or services().ids.new(),
    )
