"""Whose account a page shows: one's own, or that of a team that one is in.

The choice stands in the session cookie, and counts as long as its team lets one in. An address may
name the account that it means, as links in mails do: where another is chosen, it offers to switch.
Choosing makes the forms of all pages that are open outdated (see ``choose``), so that nothing is
spent from a wallet that its page did not show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

from flask import Flask, g, render_template, request
from flask import session as cookie
from flask_login import current_user
from werkzeug.exceptions import NotFound

from adapters.flask_web.context import services
from adapters.flask_web.web.session import for_people, person
from creditcore.domain.access import Action, Viewer, may, require
from creditcore.domain.errors import StoreError
from creditcore.domain.ledger import Wallet
from creditcore.domain.people import Person
from creditcore.domain.teams import Membership

_CHOICE = "team"
_MEANT = "account"
_CSRF = "csrf_token"
_TO_TEAMS = (Action.MANAGE_MEMBERS, Action.DESCRIBE_TEAM, Action.OWN_TEAM)
_COLOURS = 6
"""Of the marks that tell accounts apart."""

Args = ParamSpec("Args")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Account:
    """An account that a person may use: their own, or a team's.

    Attributes:
        id: Whose wallet, keys and purchases are meant.
        wallet: Whose credits are shown and spent; None only for a person who has none yet.
        is_blocked: Whether it is a team that an operator has shut out.
    """

    id: str
    name: str
    wallet: Wallet | None
    person: Person
    membership: Membership | None = None
    is_blocked: bool = False

    @property
    def is_team(self) -> bool:
        """Whether it is shared with others."""
        return self.membership is not None

    @property
    def viewer(self) -> Viewer:
        """Who looks at it."""
        return Viewer(
            person=self.person,
            wallet=self.wallet,
            membership=self.membership,
            team_blocked=self.is_blocked,
        )

    def may(self, action: Action) -> bool:
        """Whether its user's role there allows something."""
        return may(self.viewer, action)

    @property
    def buys(self) -> bool:
        """Whether its user may buy credit for it."""
        return self.may(Action.BUY_CREDITS)

    @property
    def holder_id(self) -> str:
        """Who holds the keys that are made here; empty for one's own account."""
        return self.person.id if self.is_team else ""

    @property
    def seen_holder_id(self) -> str:
        """Whose keys are seen here: only one's own, or (empty) those of all."""
        return "" if self.may(Action.MANAGE_KEYS) else self.holder_id

    @property
    def colour(self) -> int:
        """Which of the marks' colours it has: always the same."""
        return sum(self.id.encode()) % _COLOURS if self.is_team else 0


def accounts() -> Sequence[Account]:
    """Return the accounts that who is signed in may choose from, their own first; read once.

    Raises:
        StoreError: The database cannot be reached.
    """
    if "accounts" not in g:
        me = person()
        with services().transactions.begin() as tx:
            teams = [
                (team, membership)
                for team, membership in tx.teams.of_person(me.id)
                if team.deleted_at is None
            ]
            wallets = tx.ledger.find_wallets_of([me.id, *(team.id for team, _ in teams)])
        own = Account(me.id, me.name or "Personal", wallets.get(me.id), me)
        shared = [
            Account(team.id, team.name, wallets.get(team.id), me, membership, team.blocked)
            for team, membership in teams
        ]
        g.accounts = [own, *shared]
    found: Sequence[Account] = g.accounts
    return found


def account() -> Account:
    """Return the account that is chosen; one's own where the choice counts no more.

    Raises:
        StoreError: The database cannot be reached.
    """
    wanted = cookie.get(_CHOICE)
    listed = accounts()
    return next((row for row in listed if row.is_team and row.id == wanted), listed[0])


def choose(account_id: str) -> Account:
    """Show this account from now on; one's own where there is no such team.

    Forms of pages that are open belong to the account before: without the token that they were
    given, each is refused as out of date.
    """
    listed = accounts()
    chosen = next((row for row in listed if row.is_team and row.id == account_id), listed[0])
    cookie.pop(_CHOICE, None)
    if chosen.is_team:
        cookie[_CHOICE] = chosen.id
    cookie.pop(_CSRF, None)
    g.pop(_CSRF, None)
    return chosen


def forget_accounts() -> None:
    """Read the accounts anew: this request has changed them."""
    g.pop("accounts", None)


def viewer() -> Viewer:
    """Return who is signed in, with the account that they have chosen."""
    return account().viewer


def wallet() -> Wallet | None:
    """Return the wallet that this page shows, if a person is signed in and it can be read."""
    if current_user.is_authenticated:
        with suppress(StoreError):
            return account().wallet
    return None


def own_wallet() -> Wallet | None:
    """Return the wallet of who is signed in, whatever account is chosen."""
    return accounts()[0].wallet


def allowed(action: Action) -> Callable[[Callable[Args, View]], Callable[Args, View]]:
    """Let only those see a page, or do something, whose role in the chosen account allows it.

    What is done to a team does not exist where one's own account is chosen.
    """

    def decorate(view: Callable[Args, View]) -> Callable[Args, View]:
        @wraps(view)
        def guarded(*args: Args.args, **kwargs: Args.kwargs) -> View:
            if action in _TO_TEAMS and not account().is_team:
                raise NotFound
            require(account().viewer, action)
            return view(*args, **kwargs)

        return for_people(guarded)

    return decorate


def register(app: Flask) -> None:
    """Let every page say whose account it shows, and show no other than its address says."""

    @app.before_request
    def _offer_the_account_that_is_meant() -> tuple[str, HTTPStatus] | None:
        # Nothing is switched by a link: any page of the web can have one.
        wanted = request.args.get(_MEANT) if request.path.startswith("/dashboard") else None
        if not wanted or request.method != "GET" or not current_user.is_authenticated:
            return None
        meant = next((row for row in accounts() if row.id == wanted), None)
        if meant and meant.id == account().id:
            return None
        # Who has left a team meanwhile should not add credits to another account by its mail.
        page = render_template(
            "dashboard/other_account.html", page="", meant=meant, here=request.full_path
        )
        return page, HTTPStatus.OK if meant else HTTPStatus.NOT_FOUND

    @app.context_processor
    def _shared() -> dict[str, Any]:
        shown: dict[str, Any] = {"account_shown": None, "account_choices": (), "wallet": None}
        if current_user.is_authenticated:
            with suppress(StoreError):
                shown |= {"account_shown": account(), "account_choices": accounts()}
                shown["wallet"] = account().wallet
        return shown
