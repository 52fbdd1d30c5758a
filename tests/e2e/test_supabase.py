"""Signing in through Supabase Auth: two gateway processes, PostgreSQL, the stand-in."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.integration.supabase_sandbox.project import SupabaseProject
from tests.stack import PATIENCE_S, Stack, reserved_port, running_stack
from tests.stores import migrated_postgres_database
from tests.visitors import PASSWORD, TOKEN, Visitor


@pytest.fixture(scope="module")
def supabase_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data_dir: Path = tmp_path_factory.mktemp("supabase")
    with (
        migrated_postgres_database() as url,
        running_stack(url, data_dir, workers=2, supabase=True) as stack,
    ):
        yield stack


@pytest.fixture(scope="module")
def other_host(supabase_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second gateway on the same database, as on another machine: it shares no file."""
    with reserved_port() as port:
        more = {
            "PORT": str(port),
            "DATA_DIR": str(tmp_path_factory.mktemp("other-host")),
            "WEB_CONCURRENCY": "1",
        }
        other = dataclasses.replace(
            supabase_stack,
            base_url=f"http://127.0.0.1:{port}",
            environ={**supabase_stack.environ, **more},
            process=None,
        )
        other.start()
        yield other
        other.stop()


@pytest.fixture
def project(supabase_stack: Stack) -> Iterator[SupabaseProject]:
    with requests.Session() as http:
        project = SupabaseProject(supabase_stack.sandbox, http)
        project.reset()
        project.set(mail_window_s=0)
        yield project


@pytest.fixture
def visitor(supabase_stack: Stack, project: SupabaseProject) -> Iterator[Visitor]:
    del project
    with Visitor(supabase_stack) as visitor:
        yield visitor


def sign_up(visitor: Visitor) -> requests.Response:
    visitor.email = f"{uuid.uuid4().hex}@example.com"
    return visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})


def link_of(visitor: Visitor, project: SupabaseProject, kind: str) -> str:
    """Return the path of the newest link that was mailed."""
    parts = urlsplit(project.mails(visitor.email, kind)[0]["link"])
    return f"{parts.path}?{parts.query}"


def press(visitor: Visitor, path: str) -> requests.Response:
    """Open a page and send its form, as a person does who reads it."""
    page = visitor.get(path)
    assert page.status_code == 200
    hidden = dict(_hidden(page.text))
    return visitor.send("POST", urlsplit(path).path, data=hidden)


def _hidden(page: str) -> list[tuple[str, str]]:
    import re

    form = page[page.index('action="/auth/confirm"') :]
    pairs = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return [*pairs, ("csrf_token", TOKEN.search(page)[1])]


def joined(visitor: Visitor, project: SupabaseProject) -> Visitor:
    sign_up(visitor)
    press(visitor, link_of(visitor, project, "signup"))
    assert visitor.is_signed_in
    return visitor


def refreshes(project: SupabaseProject) -> int:
    grants = [call["query"].get("grant_type") for call in project.calls("token")]
    return grants.count("refresh_token")


def due(visitor: Visitor, project: SupabaseProject) -> None:
    """Let the session's token end within the minute in which it is to be replaced."""
    project.set(jwt_life_s=59)
    visitor.send("POST", "/sign-out", data={"csrf_token": visitor.token()})
    visitor.sign_in()
    project.set(jwt_life_s=3600)


def test_an_address_is_confirmed_by_a_click_and_not_by_a_scanner(
    visitor: Visitor, project: SupabaseProject
) -> None:
    answer = sign_up(visitor)
    assert answer.status_code == 302
    assert not visitor.is_signed_in
    link = link_of(visitor, project, "signup")

    for _ in range(3):
        scanned = requests.get(f"{visitor.stack.base_url}{link}", timeout=PATIENCE_S)
        assert scanned.status_code == 200
    landed = press(visitor, link)

    assert landed.headers["location"] == "/dashboard"
    assert visitor.is_signed_in
    assert str(visitor.stack.wallet_of(visitor.person.id).posted) == "200"
    assert project.calls("verify")[-1]["status"] == 200


def test_eight_tabs_on_two_hosts_refresh_one_session_once(
    visitor: Visitor, other_host: Stack, project: SupabaseProject
) -> None:
    joined(visitor, project)
    due(visitor, project)
    project.set(race_s=1.0)
    cookies = visitor.http.cookies.get_dict()
    before = refreshes(project)

    def open_a_tab(number: int) -> int:
        host = (visitor.stack, other_host)[number % 2]
        return requests.get(
            f"{host.base_url}/dashboard",
            cookies=cookies,
            allow_redirects=False,
            timeout=PATIENCE_S,
        ).status_code

    with ThreadPoolExecutor(8) as tabs:
        statuses = list(tabs.map(open_a_tab, range(8)))

    assert statuses == [200] * 8
    assert refreshes(project) - before == 1
    assert visitor.is_signed_in


def test_a_session_that_ends_on_one_host_is_over_on_the_other(
    visitor: Visitor, other_host: Stack, project: SupabaseProject
) -> None:
    joined(visitor, project)
    cookies = visitor.http.cookies.get_dict()

    def seen() -> int:
        return requests.get(
            f"{other_host.base_url}/dashboard",
            cookies=cookies,
            allow_redirects=False,
            timeout=PATIENCE_S,
        ).status_code

    before = seen()
    visitor.post("/sign-out", {})

    assert (before, seen()) == (200, 302)


def test_one_recovery_link_opened_four_times_on_two_hosts_opens_once(
    visitor: Visitor, other_host: Stack, project: SupabaseProject
) -> None:
    joined(visitor, project)
    visitor.post("/sign-out", {})
    visitor.post("/recover", {"email": visitor.email})
    link = link_of(visitor, project, "recovery")
    project.set(race_s=0.5)

    def open_it(number: int) -> str:
        host = (visitor.stack, other_host)[number % 2]
        with Visitor(dataclasses.replace(visitor.stack, base_url=host.base_url)) as browser:
            return press(browser, link).headers.get("location", "refused")

    with ThreadPoolExecutor(4) as browsers:
        landed = sorted(browsers.map(open_it, range(4)))

    assert landed == ["/new-password", "refused", "refused", "refused"]


@pytest.mark.parametrize(
    "fault", [{"drop": True}, {"code": "unexpected_failure"}, {"code": "conflict"}], ids=str
)
def test_pages_go_on_while_the_session_cannot_be_refreshed(
    visitor: Visitor, project: SupabaseProject, fault: dict[str, object]
) -> None:
    joined(visitor, project)
    due(visitor, project)
    project.fault("token", times=5, **fault)

    page = visitor.get("/dashboard")

    assert page.status_code == 200
    assert "10.1.2.3" not in page.text


def test_a_session_that_ended_upstream_ends_here(
    visitor: Visitor, project: SupabaseProject
) -> None:
    joined(visitor, project)
    due(visitor, project)
    user_id = project.control("GET", "/users")[0]["id"]
    assert project.admin("PUT", f"/{user_id}", {"ban_duration": "24h"}).status_code == 200

    assert not visitor.is_signed_in


@pytest.mark.parametrize(
    "fault", [{"drop": True}, {"html": True}, {"code": "unexpected_failure"}], ids=str
)
@pytest.mark.parametrize(
    ("page", "endpoint"), [("/sign-in", "token"), ("/sign-up", "signup"), ("/recover", "recover")]
)
def test_a_form_says_something_true_while_the_server_is_broken(
    visitor: Visitor, project: SupabaseProject, page: str, endpoint: str, fault: dict[str, object]
) -> None:
    project.fault(endpoint, times=2, **fault)

    answer = visitor.post(page, {"email": visitor.email, "password": PASSWORD})

    # Asking for a recovery looks the same in every case.
    assert answer.status_code == 503 or (page, answer.status_code) == ("/recover", 302)
    assert not any(word in answer.text for word in ("10.1.2.3", "goroutine", "Bad Gateway"))


def test_a_mail_that_went_out_before_the_server_gave_up_leads_nowhere_and_is_explained(
    visitor: Visitor, project: SupabaseProject
) -> None:
    project.fault("signup", code="request_timeout", after=True)

    answer = sign_up(visitor)
    opened = press(visitor, link_of(visitor, project, "signup"))
    again = visitor.post("/sign-up", {"email": visitor.email, "password": PASSWORD})
    confirmed = press(visitor, link_of(visitor, project, "signup"))

    assert (answer.status_code, again.status_code) == (503, 302)
    assert "try again soon" in answer.text
    assert opened.status_code == 400
    assert confirmed.headers["location"] == "/dashboard"


@pytest.mark.parametrize("fault", [{"drop": True}, {"code": "unexpected_failure"}], ids=str)
def test_nothing_is_sold_and_no_key_made_while_the_server_cannot_be_asked(
    visitor: Visitor, project: SupabaseProject, fault: dict[str, object]
) -> None:
    joined(visitor, project)
    project.fault("user", times=2, **fault)

    bought = visitor.post("/api/checkout/start", {"amount_usd": "5"})
    made = visitor.post("/dashboard/keys", {"name": "laptop", "key_id": str(uuid.uuid4())})

    assert (bought.status_code, made.status_code) == (503, 503)
    assert "Nothing is lost" in bought.text
    person = visitor.person
    with visitor.stack.store.begin() as tx:
        assert tx.purchases.list_of(person.id, limit=9) == []
        assert tx.keys.list_of(person.id) == []
    assert visitor.get("/dashboard").status_code == 200


def test_who_comes_back_from_github_is_signed_in(
    visitor: Visitor, project: SupabaseProject
) -> None:
    visitor.email = f"{uuid.uuid4().hex}@example.com"
    away = visitor.post("/auth/github", {"next": "/dashboard/keys"})
    back = project.consent(away.headers["location"], email=visitor.email)

    landed = visitor.send("GET", back)

    assert landed.headers["location"] == "/dashboard/keys"
    assert visitor.is_signed_in
    assert visitor.person.email == visitor.email


def test_another_browser_cannot_use_what_github_sent(
    visitor: Visitor, supabase_stack: Stack, project: SupabaseProject
) -> None:
    away = visitor.post("/auth/github", {})
    back = project.consent(away.headers["location"])

    with Visitor(supabase_stack) as other:
        other.send("GET", back)

        assert not other.is_signed_in


@pytest.mark.parametrize("act", ["cancel", "fail"])
def test_who_did_not_agree_comes_back_to_the_sign_in_page(
    visitor: Visitor, project: SupabaseProject, act: str
) -> None:
    away = visitor.post("/auth/github", {"next": "/dashboard/keys"})
    back = project.consent(away.headers["location"], act)

    landed = visitor.send("GET", back)

    assert landed.headers["location"].startswith("/sign-in")
    assert not visitor.is_signed_in


def connected(visitor: Visitor, project: SupabaseProject, act: str = "approve") -> str:
    """Connect GitHub on the security page; return where that ends."""
    away = visitor.post("/dashboard/security/connect/github", {})
    back = project.consent(away.headers["location"], act, f"octo-{visitor.email}")
    return visitor.send("GET", back).headers["location"]


def test_another_account_is_connected_used_and_disconnected(
    visitor: Visitor, supabase_stack: Stack, project: SupabaseProject
) -> None:
    joined(visitor, project)
    sessions_before = len(project.calls("logout"))

    assert connected(visitor, project) == "/dashboard/security"
    page = visitor.get("/dashboard/security").text
    with Visitor(supabase_stack) as other:
        away = other.post("/auth/github", {})
        back = project.consent(away.headers["location"], email=f"octo-{visitor.email}")
        other.send("GET", back)
        seen = other.get("/dashboard/security").text
    gone = visitor.post("/dashboard/security/disconnect/github", {})
    after = visitor.get("/dashboard/security").text

    assert "It is connected" in page
    assert "Connected</span>" in page
    # The session that coming back began is over at the server.
    assert len(project.calls("logout")) == sessions_before + 1
    assert visitor.email in seen
    assert gone.headers["location"] == "/dashboard/security"
    assert "Connected</span>" not in after
    assert "Disconnected another account</strong>" in after
    assert "Connected another account</strong>" in after


def test_what_came_back_for_another_account_connects_nothing(
    visitor: Visitor, supabase_stack: Stack, project: SupabaseProject
) -> None:
    joined(visitor, project)
    away = visitor.post("/dashboard/security/connect/github", {})
    back = project.consent(away.headers["location"], email=f"octo-{visitor.email}")
    with Visitor(supabase_stack) as other:
        joined(other, project)
        # The browser that left belongs to somebody else when it comes back.
        visitor.http.cookies, other.http.cookies = other.http.cookies, visitor.http.cookies
        landed = visitor.send("GET", back)

    assert landed.headers["location"] == "/sign-in"
    assert "Connected</span>" not in visitor.get("/dashboard/security").text


def test_who_does_not_agree_connects_nothing(visitor: Visitor, project: SupabaseProject) -> None:
    joined(visitor, project)

    assert connected(visitor, project, "cancel") == "/dashboard/security"

    page = visitor.get("/dashboard/security").text
    assert "You cancelled there" in page
    assert "Connected</span>" not in page


def test_who_has_no_password_proves_it_with_the_account_they_came_by(
    visitor: Visitor, project: SupabaseProject
) -> None:
    visitor.email = f"{uuid.uuid4().hex}@example.com"
    away = visitor.post("/auth/github", {})
    visitor.send("GET", project.consent(away.headers["location"], email=visitor.email))
    person = visitor.person
    with visitor.stack.store.begin() as tx:
        [session] = tx.sessions.open_of(person.id)
        old = session.proved_at - timedelta(hours=1)
        tx.sessions.save(dataclasses.replace(session, proved_at=old))
        tx.commit()
    asked = visitor.get("/dashboard/security/close")
    page = visitor.get(asked.headers["location"]).text

    def prove_as(email: str) -> str:
        away = visitor.post("/step-up/github", {"next": "/dashboard/security/close"})
        back = project.consent(away.headers["location"], email=email)
        return visitor.send("GET", back).headers["location"]

    as_another = prove_as(f"another-{visitor.email}")
    refused = visitor.get("/dashboard/security/close")
    as_oneself = prove_as(visitor.email)
    shown = visitor.get("/dashboard/security/close")

    assert "Show it with GitHub" in page
    assert as_another == "/step-up?next=/dashboard/security/close"
    assert refused.status_code == 302
    assert as_oneself == "/dashboard/security/close"
    assert shown.status_code == 200
    assert visitor.person.id == person.id


def test_who_is_blocked_here_gets_in_by_no_way(
    visitor: Visitor, supabase_stack: Stack, project: SupabaseProject
) -> None:
    visitor.email = f"{uuid.uuid4().hex}@example.com"
    away = visitor.post("/auth/github", {})
    visitor.send("GET", project.consent(away.headers["location"], email=visitor.email))
    supabase_stack.flask("user", "block", "--email", visitor.email, "--reason", "Fraud")
    supabase_stack.flask("user", "password", "--email", visitor.email, "--password", PASSWORD)

    by_password = visitor.sign_in()
    away = visitor.post("/auth/github", {})
    by_github = visitor.send("GET", project.consent(away.headers["location"], email=visitor.email))

    assert by_password.status_code == 401
    assert by_github.headers["location"] == "/sign-in"
    assert "You cannot sign in with that account" in visitor.get("/sign-in").text
    assert not visitor.is_signed_in


def test_operators_make_accounts_that_can_sign_in(
    visitor: Visitor, supabase_stack: Stack, project: SupabaseProject
) -> None:
    visitor.email = f"{uuid.uuid4().hex}@example.com"
    supabase_stack.flask("user", "create", "--email", visitor.email, "--password", PASSWORD)

    visitor.sign_in()

    assert visitor.is_signed_in
    assert project.control("GET", "/users")[0]["id"] == visitor.person.id


def test_local_accounts_move_by_a_command(supabase_stack: Stack, project: SupabaseProject) -> None:
    del project
    nowhere = {name: "" for name in supabase_stack.environ if name.startswith("SUPABASE_")}
    local = dataclasses.replace(supabase_stack, environ={**supabase_stack.environ, **nowhere})
    email = f"{uuid.uuid4().hex}@example.com"
    local.flask("user", "create", "--email", email, "--password", PASSWORD)
    refused = local.flask("user", "move-to-supabase", check=False)

    tried = json.loads(
        supabase_stack.flask("user", "move-to-supabase", "--dry-run", "--json").stdout
    )
    moved = supabase_stack.flask("user", "move-to-supabase").stdout
    again = json.loads(supabase_stack.flask("user", "move-to-supabase", "--json").stdout)

    assert refused.returncode == 1
    assert "SUPABASE_URL" in refused.stderr
    assert (tried["dry_run"], tried["moved"]) == (True, 1)
    assert f"{email} moved" in moved
    assert (again["moved"], again["there"]) == (0, 1)
    with Visitor(supabase_stack) as visitor:
        visitor.email = email
        visitor.sign_in()
        assert visitor.is_signed_in


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, ["ok    Supabase Auth (", "ok    Supabase Auth, as an operator"]),
        ({"SUPABASE_ANON_KEY": "sb_publishable_wrong"}, ["FAIL  Supabase Auth ("]),
        ({"SUPABASE_SERVICE_ROLE_KEY": "sb_secret_wrong"}, ["FAIL  Supabase Auth, as an operator"]),
    ],
    ids=str,
)
def test_the_doctor_tries_both_keys(
    supabase_stack: Stack, changes: dict[str, str], lines: list[str]
) -> None:
    asked = dataclasses.replace(supabase_stack, environ={**supabase_stack.environ, **changes})

    report = asked.flask("doctor", check=False).stdout

    assert all(line in report for line in lines)
