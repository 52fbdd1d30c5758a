"""Somebody who visits the site with a browser of their own."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from http.cookies import SimpleCookie
from typing import Any, Protocol, Self
from urllib.parse import urljoin

import requests
from requests.adapters import BaseAdapter

from creditcore.domain.people import Person
from creditcore.ports.transactions import Transactions
from tests.stack import PATIENCE_S, Stack

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

# What changes from one answer to the next, also for the same visitor.
OF_THE_MOMENT = {"date", "x-request-id", "set-cookie"}


class Visited(Protocol):
    """A site that people visit, be it in a process of its own or in this one."""

    base_url: str
    store: Transactions

    def adapter(self, address: str) -> BaseAdapter:
        """Return how a session reaches the site, from an address."""


class Visitor:
    """Somebody with a browser: cookies, the tokens of our forms, and an address of their own."""

    def __init__(self, stack: Visited, *, address: str | None = None) -> None:
        self.stack = stack
        self.email = f"{uuid.uuid4().hex}@example.com"
        self.http = requests.Session()
        self.http.headers["accept"] = "text/html"
        self.http.mount("http://", stack.adapter(address or an_address()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def person(self) -> Person:
        with self.stack.store.begin() as tx:
            found = tx.people.find_by_email(self.email)
        assert found, "nobody has this address"
        return found

    @property
    def is_signed_in(self) -> bool:
        return self.get("/dashboard").status_code == 200

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.send("GET", path, **more)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        url = urljoin(self.stack.base_url, path)
        return self.http.request(
            method, url, **{"allow_redirects": False, "timeout": PATIENCE_S, **more}
        )

    def token(self) -> str:
        """Return what a form of this session carries."""
        for page in ("/sign-up", "/dashboard/keys"):
            if found := TOKEN.search(self.get(page).text):
                return found[1]
        raise AssertionError("no form was found")

    def post(self, path: str, form: Mapping[str, str], **more: Any) -> requests.Response:
        """Send a form as its page would."""
        return self.send("POST", path, data={"csrf_token": self.token(), **form}, **more)

    def post_json(self, path: str, body: object) -> requests.Response:
        """Send JSON as a script of a page would."""
        headers = {"x-csrftoken": self.token(), "accept": "application/json"}
        return self.send("POST", path, json=body, headers=headers)

    def sign_up(self, *, tags: str = "") -> Self:
        """Make an account; the tags tell the payment sandbox how to misbehave."""
        self.email = f"{uuid.uuid4().hex}{tags}@example.com"
        answer = self.post("/sign-up", {"email": self.email, "password": PASSWORD})
        assert answer.headers["location"] == "/dashboard"
        return self

    def sign_in(self, password: str = PASSWORD, **form: str) -> requests.Response:
        return self.post("/sign-in", {"email": self.email, "password": password, **form})


def an_address() -> str:
    """Return a loopback address that no other visitor uses."""
    return ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])


def cookies_set_by(answer: requests.Response) -> SimpleCookie:
    """Return the cookies of an answer with all that is said of them."""
    cookies = SimpleCookie()
    for cookie in answer.raw.headers.getlist("set-cookie"):
        cookies.load(cookie)
    return cookies


def routes(stack: Stack) -> list[tuple[str, str]]:
    """Return the method and rule of everything that is served."""
    lines = stack.flask("routes").stdout.splitlines()
    columns = [(rule.start(), rule.end()) for rule in re.finditer("-+", lines[1])]
    return [
        (method.strip(), line[columns[2][0] :].strip())
        for line in lines[2:]
        for method in line[slice(*columns[1])].split(",")
    ]


def an_address_of(rule: str, **names: str) -> str:
    """Return an address that a rule serves, with these names in it or any others."""
    chosen = re.sub(r"<any\('?([\w-]+)[^>]*>", r"\1", rule)
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: names.get(name[1], "x"), chosen)


def everything_of(member: Visitor) -> dict[str, Any]:
    """Return all that a forged form could have changed."""
    person = member.person
    with member.stack.store.begin() as tx:
        return {
            "person": person,
            "wallet": tx.ledger.find_wallet_of(person.id),
            "keys": tx.keys.list_of(person.id),
            "purchases": tx.purchases.list_of(person.id, limit=100),
        }


def what_shows(answer: requests.Response) -> tuple[object, ...]:
    """Return everything of an answer that could tell two cases apart."""
    headers = {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower() not in OF_THE_MOMENT
    }
    attributes = {
        name: sorted(key for key, value in cookie.items() if value)
        for name, cookie in cookies_set_by(answer).items()
    }
    return answer.status_code, headers, attributes, answer.content


def sign_in_elsewhere(member: Visitor, opened: ExitStack) -> Visitor:
    """Return the same person in another browser, a phone's, which is closed with ``opened``."""
    elsewhere = opened.enter_context(Visitor(member.stack))
    elsewhere.email = member.email
    elsewhere.http.headers["user-agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 17) Safari/604.1"
    assert elsewhere.sign_in().status_code == 302
    return elsewhere
