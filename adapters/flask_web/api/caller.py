"""Who calls the account API: the bearer of a key, or a person in a browser session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import current_app, request
from flask_login import current_user

from adapters.flask_web.context import services
from adapters.flask_web.web.account import account
from adapters.flask_web.web.bearer import bearer_secret
from adapters.flask_web.web.client_origin import actor_of
from adapters.flask_web.web.session import actor
from creditcore.domain.access import Action, Viewer, may, require
from creditcore.domain.activity import Actor
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import KeyRefusedError, NotPermittedError, WalletNotFoundError
from creditcore.domain.keys import ApiKey, Scope
from creditcore.usecases.keys.limit_account import AccountStanding
from creditcore.usecases.keys.read_keys import KeyView

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Caller:
    """A client who is allowed to ask.

    Attributes:
        owner_id: Whose account it is.
        wallet_id: Whose credits.
        key: The key that asks; None in a session, which may do everything.
        viewer: Who asks, and their place in the team, where the account is one's.
    """

    owner_id: str
    wallet_id: str
    viewer: Viewer
    key: ApiKey | None = None

    @property
    def actor(self) -> Actor:
        """Who acts, as the activity log keeps it: the key, or the person in a session."""
        if self.key is None:
            return actor()
        return actor_of(f"key:{self.key.id}")

    @property
    def holder_id(self) -> str:
        """Who holds the keys that the caller makes; empty in a person's own account."""
        return self.viewer.membership.person_id if self.viewer.membership else ""

    @property
    def seen_holder_id(self) -> str:
        """Whose keys the caller sees: only their own, or (empty) all of the account."""
        return "" if may(self.viewer, Action.MANAGE_KEYS) else self.holder_id

    @property
    def limited(self) -> ApiKey | WithoutKey:
        """What the calls of the caller are held to."""
        if self.key is not None:
            return self.key
        return services().keys.account_limits.without_key(self.wallet_id, member_id=self.holder_id)

    @property
    def standing(self) -> KeyView | AccountStanding:
        """What the calls of the caller have used of their limits."""
        limited = self.limited
        if isinstance(limited, ApiKey):
            return services().keys.views.one(limited.id, owner_id=self.owner_id)
        return services().keys.account_limits.standing(limited)

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope."""
        return self.key is None or scope in self.key.scopes


def caller_with(scopes: Collection[Scope], action: Action | None = None) -> Caller:
    """Return who calls, if they have one of these scopes and are allowed the action.

    Without an action it is the one that goes with the scopes.

    Raises:
        KeyRefusedError: No key or session that is known here.
        NotPermittedError: A key that may not do this, or not from where it is.
    """
    needed = action or _action(scopes)
    header = request.headers.get("Authorization")
    if header is not None:
        key = services().keys.recognition.recognise(bearer_secret(header))
        key.check_address(request.remote_addr)
        if not set(scopes) & set(key.scopes):
            wanted = " or ".join(scopes)
            raise NotPermittedError(
                f"This needs an API key with the scope {wanted}; this one has "
                f"{', '.join(key.scopes)}.",
                code="insufficient_scope",
            )
        viewer = _viewer_of(key)
        require(viewer, needed)
        return Caller(key.owner_id, key.wallet_id, viewer, key)
    if not current_user.is_authenticated:
        raise KeyRefusedError("missing")
    if request.method not in _SAFE_METHODS:
        # A key is no cookie: no other site can send it. A session needs the token of a page.
        current_app.extensions["csrf"].protect()
    chosen = account()
    require(chosen.viewer, needed)
    if chosen.wallet is None:
        raise WalletNotFoundError(chosen.id)
    return Caller(chosen.id, chosen.wallet.id, chosen.viewer)


def _action(scopes: Collection[Scope]) -> Action:
    """Return what a role has to allow for something that takes one of these scopes."""
    return Action.HOLD_KEYS if set(scopes) == {Scope.ACCOUNT_MANAGE} else Action.SEE_WALLET


def _viewer_of(key: ApiKey) -> Viewer:
    """Return who holds a key, as they are now.

    Raises:
        KeyRefusedError: They are not in its team any more.
    """
    with services().transactions.begin() as tx:
        person = tx.people.find(key.holder_id or key.owner_id)
        if not key.holder_id:
            return Viewer(person=person)
        membership = tx.teams.membership(key.owner_id, key.holder_id)
        team = tx.teams.find(key.owner_id)
    if membership is None:
        raise KeyRefusedError("revoked")
    return Viewer(person=person, membership=membership, team_blocked=team.blocked)
