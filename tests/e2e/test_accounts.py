"""Who is let in, what a stranger can learn, and what every form refuses."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import quote_from_bytes, urljoin, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from adapters.flask_web.throttle import (
    SIGN_IN_PER_ACCOUNT,
    SIGN_IN_PER_ADDRESS,
    SIGN_UP_PER_ADDRESS,
)
from creditcore.domain.people import Person, Role
from tests.stack import PATIENCE_S, Stack, running_stack

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
WEBHOOK = "/payments/paystack"

# What changes from one answer to the next, whoever asks.
OF_THE_MOMENT = {"date", "x-request-id", "set-cookie"}

TRICKS = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https://evil.example",
    "https:/evil.example",
    "https:evil.example",
    "HTTPS://evil.example/dashboard",
    "//evil.example\\@127.0.0.1/",
    "//user@evil.example",
    "//[evil.example",
    "http://[",
    "//evil\u2100example",
    "javascript:alert(1)",
    "data:text/html,evil",
    " //evil.example",
    "evil.example",
]

STRANGE_VALUES = {
    "nothing": b"",
    "nul": b"\x00",
    "nul inside": b"ada\x00@example.com",
    "surrogate": b"\xed\xa0\x80",
    "not utf-8": b"\xff\xfe\xfa",
    "turned around": "\u202eada@example.com\u202c".encode(),
    "other digits": "\u0661\u0660".encode(),
    "long": b"x" * 10_000,
    "long number": b"9" * 10_000,
    "markup": b"<script>alert(1)</script>{{ 7*7 }}",
    "statement": b"'; DROP TABLE wallets; --",
}

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class FromAddress(HTTPAdapter):
    """Connects from one of this machine's many loopback addresses, as one visitor of many."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


class Visitor:
    """Somebody with a browser: cookies, the tokens of our forms, and an address of their own."""

    def __init__(self, stack: Stack, *, address: str | None = None) -> None:
        self.stack = stack
        self.email = f"{uuid.uuid4().hex}@example.com"
        self.http = requests.Session()
        self.http.headers["accept"] = "text/html"
        self.http.mount("http://", FromAddress(address or an_address()))

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
    """Return a loopback address that nobody else uses."""
    return ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])


@pytest.fixture
def visitor(sqlite_stack: Stack) -> Iterator[Visitor]:
    with Visitor(sqlite_stack) as visitor:
        yield visitor


@pytest.fixture
def member(sqlite_stack: Stack) -> Iterator[Visitor]:
    with Visitor(sqlite_stack) as member:
        yield member.sign_up()


@pytest.fixture
def stranger(sqlite_stack: Stack) -> Iterator[Visitor]:
    with Visitor(sqlite_stack) as stranger:
        yield stranger


@pytest.fixture(scope="module")
def https_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway behind a proxy that speaks HTTPS."""
    data_dir = tmp_path_factory.mktemp("https-stack")
    with running_stack("", data_dir, BASE_URL="https://credits.example") as stack:
        yield stack


# -- in and out ------------------------------------------------------------------------


def test_the_form_says_what_an_account_comes_with(visitor: Visitor) -> None:
    assert "$2.00 of credit" in visitor.get("/sign-up").text


def test_a_newcomer_is_let_in_with_welcome_credits(visitor: Visitor) -> None:
    visitor.sign_up()

    page = visitor.get("/dashboard")
    assert page.status_code == 200
    assert "$2.00" in page.text
    assert visitor.email in page.text


def test_whoever_signs_out_has_to_sign_in_again(member: Visitor) -> None:
    left = member.post("/sign-out", {})
    refused = member.get("/dashboard")
    back = member.sign_in()

    assert left.status_code == 302
    assert refused.headers["location"].startswith("/sign-in")
    assert back.headers["location"] == "/dashboard"
    assert member.is_signed_in


def test_an_address_is_the_same_however_it_is_typed(member: Visitor) -> None:
    member.post("/sign-out", {})

    member.sign_in(email=f"  {member.email.upper()} ")

    assert member.is_signed_in


def test_signing_in_leads_to_the_page_that_was_asked_for(member: Visitor) -> None:
    member.post("/sign-out", {})

    asked = member.get("/dashboard/keys")
    form = member.get(asked.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', form.text)
    assert wanted
    answer = member.sign_in(next=wanted[1])

    assert answer.headers["location"] == "/dashboard/keys"


def test_a_form_that_was_sent_signed_out_leads_to_a_page(member: Visitor) -> None:
    member.post("/sign-out", {})

    asked = member.post("/api/checkout/start", {"amount_usd": "10"})

    assert asked.status_code == 302
    assert asked.headers["location"] == "/sign-in"


def test_a_blocked_person_is_out_at_once(member: Visitor) -> None:
    person = member.person
    with member.stack.store.begin() as tx:
        tx._session.change("UPDATE profiles SET blocked = ? WHERE id = ?", (True, person.id))
        tx.commit()

    refused = member.get("/dashboard")
    again = member.sign_in()

    assert refused.headers["location"].startswith("/sign-in")
    assert again.status_code == 401


def test_unknown_fields_of_a_form_change_nothing(visitor: Visitor) -> None:
    form = {"email": visitor.email, "password": PASSWORD, "role": "admin", "credits": "999999"}

    visitor.post("/sign-up", form)

    wallet = visitor.stack.wallet_of(visitor.person.id)
    assert visitor.person.role is Role.USER
    assert str(wallet.posted) == "200"


@pytest.mark.parametrize(
    ("email", "password", "complaint"),
    [
        ("", PASSWORD, "not an e-mail address"),
        ("nobody", PASSWORD, "not an e-mail address"),
        ("a@b@example.com", PASSWORD, "not an e-mail address"),
        ("short@example.com", "too short", "at least 10 characters"),
        ("long@example.com", "x" * 201, "at most 200 characters"),
        ("itself@example.com", "itself@example.com", "cannot be the e-mail address"),
    ],
)
def test_a_bad_address_or_password_is_explained_beside_its_field(
    visitor: Visitor, email: str, password: str, complaint: str
) -> None:
    answer = visitor.post("/sign-up", {"email": email, "password": password})

    assert answer.status_code == 400
    assert complaint in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not visitor.is_signed_in


# -- what a stranger learns --------------------------------------------------------------


def what_shows(answer: requests.Response) -> tuple[object, ...]:
    """Return everything of an answer that could tell two cases apart."""
    cookies = SimpleCookie(answer.headers.get("set-cookie"))
    headers = {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower() not in OF_THE_MOMENT
    }
    attributes = {
        name: sorted(key for key, value in cookie.items() if value)
        for name, cookie in cookies.items()
    }
    return answer.status_code, headers, attributes, answer.content


def test_signing_up_answers_the_same_for_a_free_and_a_taken_address(
    member: Visitor, visitor: Visitor, stranger: Visitor
) -> None:
    form = {"password": "another long password"}

    free = visitor.post("/sign-up", {"email": visitor.email, **form})
    taken = stranger.post("/sign-up", {"email": member.email, **form})

    assert what_shows(taken) == what_shows(free)
    assert not stranger.is_signed_in


def test_the_owner_of_a_taken_address_is_let_in_by_signing_up(
    member: Visitor, stranger: Visitor
) -> None:
    stranger.post("/sign-up", {"email": member.email, "password": PASSWORD})

    assert member.email in stranger.get("/dashboard").text
    assert str(member.stack.wallet_of(member.person.id).posted) == "200"


def test_a_failed_sign_in_never_says_what_was_wrong(member: Visitor, stranger: Visitor) -> None:
    def failed(email: str, password: str) -> tuple[object, ...]:
        form = {"email": email, "password": password, "csrf_token": stranger.token()}
        answer = stranger.send("POST", "/sign-in", data=form)
        shown = TOKEN.sub("", answer.text).replace(email, "")
        assert answer.status_code == 401
        assert "E-mail or password is wrong." in shown
        return what_shows(answer)[:1], shown

    wrong_password = failed(member.email, "not the right one")
    unknown_address = failed(f"{uuid.uuid4().hex}@example.com", PASSWORD)
    no_password = failed(member.email, "")

    assert wrong_password == unknown_address == no_password


# -- throttles -------------------------------------------------------------------------------


def assert_throttled(answer: requests.Response) -> None:
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many attempts" in answer.text


def test_one_address_cannot_try_many_accounts(visitor: Visitor, member: Visitor) -> None:
    token = visitor.token()

    def guess() -> requests.Response:
        form = {"csrf_token": token, "email": f"{uuid.uuid4().hex} is nobody", "password": "x"}
        return visitor.send("POST", "/sign-in", data=form)

    answers = [guess().status_code for _ in range(SIGN_IN_PER_ADDRESS.amount)]

    assert set(answers) == {401}
    assert_throttled(guess())
    assert member.sign_in().status_code == 302


def test_many_addresses_cannot_try_one_account(member: Visitor) -> None:
    def guess(password: str) -> requests.Response:
        with Visitor(member.stack) as guesser:
            guesser.email = member.email
            return guesser.sign_in(password)

    first, *_ = [guess("") for _ in range(SIGN_IN_PER_ACCOUNT.amount)]

    assert first.status_code == 401
    assert_throttled(guess(PASSWORD))


def test_signing_up_guesses_no_more_passwords_than_signing_in(member: Visitor) -> None:
    def guess(password: str) -> requests.Response:
        with Visitor(member.stack) as guesser:
            return guesser.post("/sign-up", {"email": member.email, "password": password})

    first, *_ = [guess("not the right one") for _ in range(SIGN_IN_PER_ACCOUNT.amount)]

    assert first.status_code == 302
    assert_throttled(guess(PASSWORD))


def test_one_address_cannot_make_many_accounts(visitor: Visitor) -> None:
    token = visitor.token()

    def attempt() -> requests.Response:
        form = {"csrf_token": token, "email": visitor.email, "password": "short"}
        return visitor.send("POST", "/sign-up", data=form)

    answers = [attempt().status_code for _ in range(SIGN_UP_PER_ADDRESS.amount)]

    assert set(answers) == {400}
    assert_throttled(attempt())


# -- forms that somebody else sends -----------------------------------------------------------


def routes(stack: Stack) -> list[tuple[str, str]]:
    """Return the method and rule of everything that is served."""
    lines = stack.flask("routes").stdout.splitlines()
    columns = [(rule.start(), rule.end()) for rule in re.finditer("-+", lines[1])]
    return [
        (method.strip(), line[columns[2][0] :].strip())
        for line in lines[2:]
        for method in line[slice(*columns[1])].split(",")
    ]


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


def test_every_form_refuses_a_missing_or_forged_token(member: Visitor, stranger: Visitor) -> None:
    member.post("/dashboard/keys", {"name": "mine", "key_id": str(uuid.uuid4())})
    [key] = everything_of(member)["keys"]
    newcomer = f"{uuid.uuid4().hex}@example.com"
    form = {
        "email": newcomer,
        "password": PASSWORD,
        "name": "forged",
        "key_id": str(uuid.uuid4()),
        "amount_usd": "10",
    }
    posts = {rule for method, rule in routes(member.stack) if method == "POST"} - {WEBHOOK}
    before = everything_of(member)

    forgeries: list[dict[str, str]] = [
        {},
        {"csrf_token": ""},
        {"csrf_token": "x.y.z"},
        {"csrf_token": stranger.token()},
    ]
    answers = {
        (rule, number): member.send(
            "POST", rule.replace("<key_id>", key.id), data={**form, **forgery}
        )
        for rule in posts
        for number, forgery in enumerate(forgeries)
    }

    assert {"/sign-up", "/sign-in", "/sign-out", "/dashboard/keys"} < posts
    assert {case: answer.status_code for case, answer in answers.items()} == dict.fromkeys(
        answers, 400
    )
    assert all("form is out of date" in answer.text for answer in answers.values())
    assert everything_of(member) == before
    assert member.is_signed_in
    with member.stack.store.begin() as tx:
        assert tx.people.find_by_email(newcomer) is None


def test_json_needs_the_token_in_its_header(member: Visitor) -> None:
    headers = {"accept": "application/json"}

    answer = member.send("POST", "/api/checkout/start", json={"amount_usd": 10}, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "csrf_failed"
    assert not everything_of(member)["purchases"]


# -- where pages lead -----------------------------------------------------------------------


@pytest.mark.parametrize("trick", TRICKS)
def test_signing_in_never_leads_away(member: Visitor, trick: str) -> None:
    member.post("/sign-out", {})

    form = member.get("/sign-in", params={"next": trick})
    answer = member.sign_in(next=trick)
    again = member.get("/sign-in", params={"next": trick})

    assert 'name="next" value=""' in form.text
    assert answer.headers["location"] == "/dashboard"
    assert again.headers["location"] == "/dashboard"


@pytest.mark.parametrize("trick", TRICKS)
def test_signing_up_never_leads_away(sqlite_stack: Stack, trick: str) -> None:
    with Visitor(sqlite_stack) as visitor:
        form = {"email": visitor.email, "password": PASSWORD, "next": trick}
        answer = visitor.post("/sign-up", form)

    assert answer.headers["location"] == "/dashboard"


@pytest.mark.parametrize("place", ["/dashboard/billing?reference=x", "/..//evil.example", "/%2F/x"])
def test_wherever_else_signing_in_leads_is_here(member: Visitor, place: str) -> None:
    member.post("/sign-out", {})

    location = member.sign_in(next=place).headers["location"]

    here = member.stack.base_url
    assert urlsplit(urljoin(here, location)).netloc == urlsplit(here).netloc


# -- cookies and headers ------------------------------------------------------------------------


def session_cookie(stack: Stack) -> Any:
    with Visitor(stack) as visitor:
        return SimpleCookie(visitor.get("/sign-up").headers["set-cookie"])["creditcore_session"]


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(sqlite_stack: Stack) -> None:
    cookie = session_cookie(sqlite_stack)

    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]


def test_under_https_the_session_cookie_travels_by_https_only(https_stack: Stack) -> None:
    cookie = session_cookie(https_stack)

    assert cookie["secure"] is True
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_under_https_browsers_are_told_to_stay_there(https_stack: Stack) -> None:
    with Visitor(https_stack) as visitor:
        answers = [visitor.get(path) for path in ("/", "/nothing-here", "/healthz")]

    for answer in answers:
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_signing_in_begins_a_new_session(member: Visitor) -> None:
    member.post("/sign-out", {})
    member.token()
    before = member.http.cookies["creditcore_session"]

    member.sign_in()
    member.http.cookies.clear()
    member.http.cookies.set("creditcore_session", before)

    assert not member.is_signed_in


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/pricing", 200),
        ("GET", "/sign-in", 200),
        ("GET", "/sign-up", 200),
        ("GET", "/dashboard", 302),
        ("POST", "/sign-in", 400),
        ("GET", "/api/v1/credits", 401),
        ("POST", WEBHOOK, 401),
        ("GET", "/nothing-here", 404),
        ("GET", "/static/nothing-here.css", 404),
        ("DELETE", "/", 405),
        ("GET", "/healthz", 200),
    ],
)
def test_every_answer_carries_the_security_headers(
    visitor: Visitor, method: str, path: str, status: int
) -> None:
    answer = visitor.send(method, path)

    policy = answer.headers["content-security-policy"]
    expected = dict(SECURITY_HEADERS)
    if path.startswith("/static/"):
        expected.pop("cache-control")
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-request-id"].startswith("req-")


# -- what is refused -------------------------------------------------------------------------------


def test_nobody_can_revoke_the_key_of_somebody_else(member: Visitor, stranger: Visitor) -> None:
    secret = member.stack.a_key(member.person.id)
    [key] = everything_of(member)["keys"]
    stranger.sign_up()

    answer = stranger.post(f"/dashboard/keys/{key.id}/revoke", {})

    assert answer.status_code == 404
    assert member.stack.chat("Hi", key=secret).status_code == 200


def test_wrong_methods_are_told_which_are_right(member: Visitor) -> None:
    served = routes(member.stack)

    for rule in {rule for _, rule in served}:
        allowed = {method for method, other in served if other == rule}
        answer = member.send("PATCH", re.sub("<[^>]+>", "x", rule))

        assert answer.status_code == 405, rule
        assert allowed <= set(answer.headers["allow"].split(", ")), rule


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in", "/dashboard/keys", "/api/checkout/start"])
def test_a_huge_form_is_refused(member: Visitor, path: str) -> None:
    before = everything_of(member)

    answer = member.post(path, {"name": "x" * 2_000_000})

    assert answer.status_code == 413
    assert "Too large" in answer.text
    assert everything_of(member) == before


FIELDS = [
    ("/sign-up", "email"),
    ("/sign-up", "password"),
    ("/sign-up", "next"),
    ("/sign-in", "email"),
    ("/sign-in", "password"),
    ("/sign-in", "next"),
    ("/dashboard/keys", "name"),
    ("/dashboard/keys", "expires_in_days"),
    ("/api/checkout/start", "amount_usd"),
    ("/api/checkout/start", "custom_usd"),
]


@pytest.mark.parametrize("value", STRANGE_VALUES.values(), ids=STRANGE_VALUES.keys())
def test_no_value_of_a_field_is_our_fault(stack: Stack, value: bytes) -> None:
    with Visitor(stack) as visitor:
        visitor.sign_up()
        usual = {
            "email": visitor.email,
            "password": PASSWORD,
            "name": "key",
            "key_id": str(uuid.uuid4()),
            "amount_usd": "other",
        }

        for path, field in FIELDS:
            # Signing up and in replaces the session, and with it the token.
            texts = {**usual, "csrf_token": visitor.token()}
            form = {name: text.encode() for name, text in texts.items()} | {field: value}
            answer = visitor.send(
                "POST",
                path,
                data="&".join(f"{name}={quote_from_bytes(text)}" for name, text in form.items()),
                headers={"content-type": "application/x-www-form-urlencoded"},
            )

            assert answer.status_code < 500, (path, field, answer.text)


@pytest.mark.parametrize(
    "value", ["%00", "%ED%A0%80", "%FF", "x" * 3_000, "%27%20OR%201=1", "..%2f"]
)
def test_no_address_is_our_fault(stack: Stack, value: str) -> None:
    with Visitor(stack) as visitor:
        visitor.sign_up()

        for address in (
            "/payments/paystack?reference={}",
            "/payments/paystack?trxref={}",
            "/dashboard/billing?reference={}",
            "/sign-in?next={}",
            "/sign-up?next={}",
            "/{}",
        ):
            answer = visitor.get(address.format(value))

            assert answer.status_code < 500, (address, answer.text)


@pytest.mark.parametrize("key_id", ["%00", "%ED%A0%80", "x" * 3_000, "%27%20OR%201=1", "0"])
def test_an_impossible_key_is_not_found(stack: Stack, key_id: str) -> None:
    with Visitor(stack) as visitor:
        visitor.sign_up()

        answer = visitor.post(f"/dashboard/keys/{key_id}/revoke", {})

    assert answer.status_code == 404
