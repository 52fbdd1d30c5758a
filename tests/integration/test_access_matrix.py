"""Every route, for each kind of visitor. A route without a decision who may use it fails here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from adapters.flask_web.context import SERVICES
from creditcore.domain.identities import SignedIn
from creditcore.domain.people import Person, Role
from creditcore.domain.sessions import Device
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.services import Services
from creditcore.testing.contracts import a_purchase, admit
from creditcore.testing.contracts.cards import CARD
from tests.stores import migrated_sqlite_file


class Access(Enum):
    """Who is let in."""

    EVERYBODY = auto()
    PEOPLE = auto()
    """Every person who is signed in; each sees their own."""
    OWNER = auto()
    """Of what the address names; it does not exist for others."""
    TEAM = auto()
    """Who is in the chosen team, as far as their role goes; it does not exist for others."""
    OPERATORS = auto()
    """It does not exist for others who are signed in."""


DECISIONS = {
    "analytics.from_outside": Access.EVERYBODY,  # leads into the dashboard
    "static": Access.EVERYBODY,
    "payment_return": Access.EVERYBODY,  # the provider's browser return: shows nothing of its own
    "payment_webhook": Access.EVERYBODY,  # signed by the provider
    "api_keys.read_key": Access.OWNER,
    "api_keys.change_key": Access.OWNER,
    "api_keys.revoke_key": Access.OWNER,
    "api_keys.rotate_key": Access.OWNER,
    "api_keys.try_stop": Access.OWNER,
    "api_keys.read_webhook_secret": Access.OWNER,
    "keys.stop": Access.OWNER,
    "api_calls.read_call": Access.OWNER,
    "mobile_money.show": Access.OWNER,
    "cards.remove": Access.OWNER,
    "dashboard.call": Access.OWNER,
    "playground.outcome": Access.OWNER,
    "keys.revoke": Access.OWNER,
    "team.show": Access.PEOPLE,
    "team.create": Access.PEOPLE,
    "team.switch": Access.PEOPLE,
    "joining.accept": Access.PEOPLE,  # of whom the link is for
    "api_members.accept_invitation": Access.PEOPLE,  # the same
    "api_team.make_team": Access.PEOPLE,
    "security.end_session": Access.PEOPLE,  # ends nothing that is not theirs, and says nothing
    "accounts.connect": Access.PEOPLE,
    "accounts.step_up": Access.PEOPLE,
    "accounts.prove": Access.PEOPLE,
    "accounts.prove_there": Access.PEOPLE,
}
"""Of single routes."""

BLUEPRINTS = {
    "site": Access.EVERYBODY,
    "style": Access.EVERYBODY,  # shows parts, and nothing of anybody; not there in production
    "accounts": Access.EVERYBODY,
    "health": Access.EVERYBODY,
    "metrics": Access.EVERYBODY,  # asks for a token of its own
    "models": Access.EVERYBODY,
    "status": Access.EVERYBODY,
    "dashboard": Access.PEOPLE,
    "general": Access.PEOPLE,
    "security": Access.PEOPLE,
    "billing": Access.PEOPLE,
    "team": Access.TEAM,  # each role: test_team_access.py
    "members": Access.TEAM,
    "api_team": Access.TEAM,
    "api_members": Access.TEAM,
    "joining": Access.EVERYBODY,  # who has the link
    "checkout": Access.PEOPLE,
    "keys": Access.PEOPLE,
    "payments": Access.OWNER,
    "payer_details": Access.OWNER,
    "notices": Access.PEOPLE,
    "cards": Access.PEOPLE,
    "receipts": Access.PEOPLE,  # the visitors have paid nothing yet, so none has one
    "statements": Access.PEOPLE,
    "analytics": Access.PEOPLE,
    "calls": Access.PEOPLE,
    "playground": Access.PEOPLE,
    "data": Access.PEOPLE,
    "search": Access.PEOPLE,
    "what_if": Access.PEOPLE,
    "mobile_money": Access.PEOPLE,
    "account_api": Access.PEOPLE,
    "api_keys": Access.PEOPLE,
    "api_usage": Access.PEOPLE,
    "api_calls": Access.PEOPLE,
    "api_money": Access.PEOPLE,
    "api_widgets": Access.PEOPLE,
    "api_docs": Access.EVERYBODY,
    "admin": Access.OPERATORS,  # each act of money asks for a fresh proof as well
    "monitoring": Access.OPERATORS,
}
"""Of the other routes of a feature whose pages are all alike."""


SENT_AWAY = {401, 403}


@dataclass(frozen=True)
class Visitor:
    """Somebody with an account, and what is theirs."""

    person: Person
    client: FlaskClient
    names: dict[str, str]
    """Of the objects that an address may name."""


class Site:
    """The whole site in this process, on SQLite; nothing behind it answers."""

    def __init__(self, folder: Path, **more: str) -> None:
        environ = {
            "AUTH_SECRET": "of the matrix of access 0123456789",
            "PAYSTACK_SECRET_KEY": "sk_test_matrix",
            "PAYSTACK_BASE_URL": "http://127.0.0.1:9",
            "LITELLM_BASE_URL": "http://127.0.0.1:9",
            "LITELLM_MASTER_KEY": "sk-matrix",
            "DATA_DIR": str(folder),
            # Each visitor gets their welcome: there are more than a day has credits for.
            "SIGNUP_CREDITS_PER_DAY": "1000000",
            **more,
        }
        migrated_sqlite_file(folder / "creditcore.db")
        with pytest.MonkeyPatch.context() as patched:
            # Importing the composition root builds a site of the environment.
            for name, value in environ.items():
                patched.setenv(name, value)
            self.app: Flask = importlib.import_module("wsgi").build(environ)
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.services: Services = self.app.extensions[SERVICES]

    def visitor(self, role: Role = Role.USER) -> Visitor:
        """Make somebody with a key, a call and a session."""
        email, password = f"{uuid4().hex}@example.com", "correct horse battery"
        identity = self.services.operators.create(email, password, confirmed=True)
        person = self.services.people.welcome.welcome(identity)
        person = self.services.people.roles.grant(person.id, role)
        outcome = self.services.identity.sign_in(email, password)
        assert isinstance(outcome, SignedIn)
        begun = self.services.people.sessions.begin(person, outcome, device=Device())
        key, _ = self.services.keys.issuing.issue(person.id, name="laptop")
        call = f"call-{uuid4().hex}"
        admit(self.services.transactions, 7, reference=call, wallet_id=key.wallet_id)
        purchase = f"cc-{uuid4().hex}"
        with self.services.transactions.begin() as tx:
            wallet = tx.ledger.find_wallet_of(person.id)
            tx.purchases.add(a_purchase(wallet, reference=purchase))
            card = replace(CARD, id=f"card-{purchase}", owner_id=person.id)
            tx.cards.save(card)
            tx.commit()
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = begun.secret, True
            cookie["csrf_token"] = "of this visitor"
        names = {
            "key_id": key.id,
            "call_id": call,
            "session_id": begun.session.id,
            "reference": purchase,
            "name": purchase,
            "person_id": person.id,
            "invitation_id": str(uuid4()),
            "team_id": str(uuid4()),
            "member_id": person.id,
            "owner_id": person.id,
            "digest": self.webhook(),
            "rule_id": "rule-1",
            "card_id": card.id,
        }
        return Visitor(person, client, names)

    def webhook(self) -> str:
        """Store a webhook that is done, and return its digest."""
        event = PaymentEvent(
            digest=uuid4().hex,
            kind=EventKind.PAID,
            name="charge.success",
            reference="cc-of-nobody",
            body="{}",
            received_at=self.services.clock.now(),
        )
        with self.services.transactions.begin() as tx:
            tx.payment_events.record(event)
            tx.commit()
        return event.digest


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def test_it_is_decided_who_may_use_each_route(site: Site) -> None:
    undecided = {rule.endpoint for rule in site.app.url_map.iter_rules()} - {
        rule.endpoint for rule, _, _ in routes(site)
    }

    assert undecided == set()


def test_what_is_no_longer_there_is_no_longer_decided(site: Site) -> None:
    endpoints = {rule.endpoint.partition(" ")[0] for rule in site.app.url_map.iter_rules()}

    assert set(DECISIONS) <= endpoints


def test_a_visitor_not_signed_in_is_let_in_where_all_are(site: Site) -> None:
    owner = site.visitor()
    wrong = []
    for rule, method, access in routes(site):
        answer = ask(site.app.test_client(), rule, method, owner)
        is_refused = is_sent_away(answer) if access is not Access.EVERYBODY else True
        if not is_refused or answer.status_code == 500:
            wrong.append(f"{method} {rule.rule}: {answer.status}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
def test_another_person_finds_nothing_of_the_owner(site: Site, role: Role) -> None:
    owner, reader = site.visitor(), site.visitor(role)
    wrong = []
    for rule, method, access in routes(site):
        # Some acts end the visitor's own session, close the account, or lead into another's.
        is_harmless = access is Access.OPERATORS and rule.endpoint != "admin.view_as"
        visitor = reader if method == "GET" or is_harmless else site.visitor(role)
        answer = ask(visitor.client, rule, method, owner)
        is_hidden = access in {Access.OWNER, Access.TEAM}
        if is_hidden or (access is Access.OPERATORS and role is Role.USER):
            # A body that means nothing is refused before anything is looked for.
            is_unread = rule.endpoint.startswith("api_") and answer.status_code == 400
            is_right = answer.status_code == 404 or (access is Access.TEAM and is_unread)
        elif access is Access.EVERYBODY:
            is_right = answer.status_code != 500
        else:
            is_right = not is_sent_away(answer) and answer.status_code != 500
        if not is_right:
            wrong.append(f"{method} {rule.rule}: {answer.status}")

    assert not wrong, "\n".join(wrong)
    with site.services.transactions.begin() as tx:
        [key] = tx.keys.list_of(owner.person.id)
        assert key.revoked_at is None
        assert tx.people.find(owner.person.id) == owner.person
    assert ask(owner.client, "/dashboard", "GET", owner).status_code == 200


def test_owners_find_what_is_theirs(site: Site) -> None:
    wrong = []
    for rule, method, access in routes(site):
        if access is Access.OWNER:
            owner = site.visitor()
            answer = ask(owner.client, rule, method, owner)
            if is_sent_away(answer) or answer.status_code >= 400:
                wrong.append(f"{method} {rule.rule}: {answer.status}")

    assert not wrong, "\n".join(wrong)


def routes(site: Site) -> list[tuple[Rule, str, Access]]:
    """Return each decided route, with each of its methods."""
    return [
        (rule, method, access)
        for rule in site.app.url_map.iter_rules()
        if (access := decision(rule.endpoint))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def decision(endpoint: str) -> Access | None:
    # The payment endpoint has a second address, which its name says.
    endpoint = endpoint.partition(" ")[0]
    return DECISIONS.get(endpoint) or BLUEPRINTS.get(endpoint.partition(".")[0])


def ask(client: FlaskClient, rule: Rule | str, method: str, owner: Visitor) -> TestResponse:
    """Ask for an address that names the owner's things."""
    names = (
        dict.fromkeys(("filename",), "css/base.css")
        | {"method": "google", "act_name": "grant"}
        | owner.names
    )
    address = rule if isinstance(rule, str) else filled(rule, names)
    if address.startswith("/api/"):
        # As a page's script asks: with the token of the session, which is the visitor's.
        signer = URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token")
        headers = {"X-CSRFToken": signer.dumps("of this visitor"), "Accept": "application/json"}
        json = {"POST": {}, "PATCH": {"name": "new"}}.get(method)
        answer = client.open(address, method=method, json=json, headers=headers)
    else:
        answer = client.open(address, method=method, data={} if method == "POST" else None)
    # A file may be open behind it.
    answer.close()
    return answer


def filled(rule: Rule, names: dict[str, str]) -> str:
    unknown = rule.arguments - names.keys()
    assert not unknown, f"{rule.rule} names {unknown}: give the visitors one"
    return "".join(names[text] if is_name else text for is_name, text in rule._trace if text != "|")


def is_sent_away(answer: TestResponse) -> bool:
    return answer.status_code in SENT_AWAY or (
        answer.status_code in (302, 303) and "/sign-in" in answer.headers["Location"]
    )
