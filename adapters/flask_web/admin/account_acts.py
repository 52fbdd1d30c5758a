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
from adapters.flask_web.admin.teams import find_team
from adapters.flask_web.context import services
from adapters.flask_web.web.formatting import credits_text, dollars
from adapters.flask_web.web.session import actor
from creditcore.domain.errors import (
    InvalidRequestError,
    TeamNotFoundError,
    WalletNotFoundError,
)
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.people import Person
from creditcore.domain.teams import Team
from creditcore.usecases.people.block_person import BlockPerson
from creditcore.usecases.teams.block_team import BlockTeam

_MAX_REASON_LENGTH = 150
_MOST = Credits.of(10_000_000)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done to an account.

    Attributes:
        has_amount: Whether it asks how many credits.
        is_final: Whether it cannot be undone by another act.
        effect: What it changes, where that depends on nothing but the account's name.
    """

    title: str
    button: str
    explanation: str
    has_amount: bool = False
    is_final: bool = False
    effect: str = ""


ACTS = {
    "grant": Act(
        "Give credits",
        "Give the credits",
        "They are not paid for, so they lower what a spent credit earns. None can be taken back.",
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
        effect="{name} can no longer sign in, and no key of theirs opens.",
    ),
    "unblock": Act(
        "Let in again",
        "Let this person in",
        "They may sign in again and make new keys; the old keys stay revoked.",
        effect="{name} can sign in again.",
    ),
}
"""What is done to a person's account."""

ACTS_ON_TEAMS = {
    **ACTS,
    "block": Act(
        "Shut out",
        "Shut this team out",
        "Revokes every key for good and stops automatic top-ups. Members still see the team and "
        "may leave it; their own accounts stay as they are. Payments that arrive are credited.",
        is_final=True,
        effect="No key of {name} opens any more, and its members only see it.",
    ),
    "unblock": Act(
        "Let in again",
        "Let this team in",
        "Its members may act in it again and make new keys; the old keys stay revoked.",
        effect="The members of {name} can act in it again.",
    ),
}
"""The same for a team's."""


@blueprint.get("/people/<person_id>/<any(grant,'clear-debt',block,unblock):act_name>")
@blueprint.get("/teams/<team_id>/<any(grant,'clear-debt',block,unblock):act_name>")
@for_money
def act_form(act_name: str, person_id: str = "", team_id: str = "") -> str:
    """Ask for the amount and the reason."""
    return _form(_subject(person_id, team_id), act_name)


@blueprint.post("/people/<person_id>/<any(grant,'clear-debt',block,unblock):act_name>")
@blueprint.post("/teams/<team_id>/<any(grant,'clear-debt',block,unblock):act_name>")
@for_money
def act(act_name: str, person_id: str = "", team_id: str = "") -> str | Response | tuple[str, int]:
    """Show what will change; do it once that is confirmed."""
    subject = _subject(person_id, team_id)
    reason = " ".join(request.form.get("reason", "").split())
    errors = {}
    if not reason or len(reason) > _MAX_REASON_LENGTH:
        errors["reason"] = f"Give a reason of 1 to {_MAX_REASON_LENGTH} characters."
    amount = ZERO
    if subject.acts[act_name].has_amount:
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
    return redirect(subject.address)


def _do(subject: _Subject, name: str, amount: Credits, reason: str) -> str:
    mine = actor()
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
            return f"{subject.name} got {credits_text(amount)}."
        case "clear-debt":
            cleared = ZERO
            if subject.wallet is not None:
                cleared = services().payments.debts.clear(
                    subject.wallet.id, reason=reason, actor=mine
                )
            return f"{credits_text(cleared)} of debt were cleared."
        case "block":
            if subject.owner.id == mine.id:
                raise InvalidRequestError("You cannot shut yourself out.")
            revoked = subject.blocks.block(subject.owner.id, reason=reason, actor=mine)
            return f"{subject.name} is shut out. Keys revoked: {revoked}."
        case _:
            subject.blocks.unblock(subject.owner.id, reason=reason, actor=mine)
            return f"{subject.name} is let in again."


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose account it is, a person's or a team's; the wallet is None where there is none yet."""

    owner: Person | Team
    wallet: Wallet | None

    @property
    def name(self) -> str:
        """What operators call it."""
        return self.owner.name if isinstance(self.owner, Team) else self.owner.email

    @property
    def address(self) -> str:
        """Its page."""
        if isinstance(self.owner, Team):
            return url_for("admin.team", team_id=self.owner.id)
        return url_for("admin.person", person_id=self.owner.id)

    @property
    def acts(self) -> dict[str, Act]:
        """What can be done to it."""
        return ACTS_ON_TEAMS if isinstance(self.owner, Team) else ACTS

    @property
    def blocks(self) -> BlockPerson | BlockTeam:
        """What shuts it out."""
        is_team = isinstance(self.owner, Team)
        return services().teams.blocks if is_team else services().people.blocks


def _subject(person_id: str, team_id: str) -> _Subject:
    with services().transactions.begin() as tx:
        owner = find_team(tx, team_id) if team_id else find_person(tx, person_id)
        if isinstance(owner, Team) and owner.deleted_at is not None:
            # Nothing is done any more to what is closed for everyone.
            raise TeamNotFoundError(team_id)
        try:
            return _Subject(owner, tx.ledger.find_wallet_of(owner.id))
        except WalletNotFoundError:
            return _Subject(owner, None)


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
        case "block" | "unblock":
            return subject.acts[name].effect.format(name=subject.name)
        case _:
            return "They have no wallet yet: nothing can be given."


def _form(
    subject: _Subject, name: str, errors: dict[str, str] | None = None, *, preview: str = ""
) -> str:
    return page(
        "act.html",
        "team" if isinstance(subject.owner, Team) else "people",
        act=subject.acts[name],
        subject=subject,
        balance=subject.wallet,
        errors=errors or {},
        preview=preview,
        typed=request.form,
        attempt=request.form.get("attempt") or services().ids.new(),
    )
