"""What a person, an operator and a project do on the way to an answer of the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import requests

from adapters.supabase_auth.pkce import challenge_of
from tests.integration.supabase_sandbox.project import PASSWORD, SITE, SupabaseProject
from tests.stack import PATIENCE_S

CALLBACK = f"{SITE}/auth/callback"
ZERO_HASH = "0" * 56
NOBODY = "11111111-1111-4111-8111-111111111111"
VERIFIER = "v" * 64
ANNA = "anna@example.com"
JSON = {"Content-Type": "application/json"}
NAMED = {"data": {"name": "Anna"}}

Flow = Callable[[SupabaseProject], requests.Response]


def joined(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    return lambda project: then(project, project.join(ANNA))


def setting(flow: Flow, **settings: Any) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        project.set(**settings)
        return flow(project)

    return run


def faulty(flow: Flow, endpoint: str, code: str, **more: Any) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        project.fault(endpoint, code=code, **more)
        return flow(project)

    return run


def sign_up(**body: Any) -> Flow:
    return lambda project: project.ask("POST", "/signup", body)


def verify(**body: Any) -> Flow:
    return lambda project: project.ask("POST", "/verify", body)


def login(email: str = ANNA, password: str = PASSWORD, **more: Any) -> Flow:
    return lambda project: project.login(email, password, **more)


def put(body: dict[str, Any], *, versioned: bool = False) -> Flow:
    return joined(
        lambda project, session: project.ask(
            "PUT", "/user", body, token=session["access_token"], versioned=versioned
        )
    )


def twice(flow: Flow) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        flow(project)
        return flow(project)

    return run


def after_joining(flow: Flow) -> Flow:
    return joined(lambda project, _: flow(project))


def after_sign_up(flow: Flow) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        project.sign_up(ANNA)
        return flow(project)

    return run


def banned(flow: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(ANNA)
        user_id = session["user"]["id"]
        assert project.admin("PUT", f"/{user_id}", {"ban_duration": "24h"}).status_code == 200
        return flow(project, session)

    return run


def open_link(kind: str, to: str = ANNA, **more: Any) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        token_hash = project.mails(to)[0]["token_hash"]
        return project.ask("POST", "/verify", {"type": kind, "token_hash": token_hash}, **more)

    return run


def followed(project: SupabaseProject, *, twice: bool = False) -> requests.Response:
    mail = project.mails(ANNA)[0]
    query = {
        "type": mail["type"],
        "token": mail["token_hash"],
        "redirect_to": CALLBACK,
    }
    for _ in range(2 if twice else 1):
        answer = project.ask("GET", "/verify", params=query)
    return answer


def recovering(project: SupabaseProject) -> requests.Response:
    project.join(ANNA)
    assert project.ask("POST", "/recover", {"email": ANNA}).status_code == 200
    return open_link("recovery")(project)


def grandparent(project: SupabaseProject) -> requests.Response:
    first = project.join(ANNA)["refresh_token"]
    second = project.refresh(first).json()["refresh_token"]
    project.refresh(second)
    project.ahead(60)
    return project.refresh(first)


def branch(project: SupabaseProject) -> requests.Response:
    first = project.join(ANNA)["refresh_token"]
    second = project.refresh(first).json()["refresh_token"]
    project.refresh(second)
    return project.refresh(first)


def authorize(
    project: SupabaseProject, provider: str = "github", **query: str
) -> requests.Response:
    usual = {
        "provider": provider,
        "redirect_to": CALLBACK,
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "s256",
    }
    wanted = {name: value for name, value in (usual | query).items() if value}
    return project.ask("GET", "/authorize", params=wanted)


def returned(act: str = "approve", *, provider: str = "github", **more: Any) -> Flow:
    """Walk the consent page; the answer is the one of ``/callback``."""

    def run(project: SupabaseProject) -> requests.Response:
        started = authorize(project, provider)
        state = started.headers["Location"].rpartition("state=")[2]
        form = {"state": state, "act": act, "email": "octo@example.com", "verified": "yes"} | more
        form = {name: value for name, value in form.items() if value is not None}
        posted = project.http.post(
            f"{project.url}/auth/v1/consent/{provider}",
            data=form,
            allow_redirects=False,
            timeout=PATIENCE_S,
        )
        return project.http.get(
            posted.headers["Location"], allow_redirects=False, timeout=PATIENCE_S
        )

    return run


def exchange(provider: str = "github", verifier: str = VERIFIER, *, ahead: float = 0) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        back = returned(provider=provider)(project)
        code = back.headers["Location"].rpartition("code=")[2]
        project.ahead(ahead)
        body = {"auth_code": code, "code_verifier": verifier}
        return project.ask("POST", "/token?grant_type=pkce", body)

    return run


def enrol(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    body = {"factor_type": "totp", "friendly_name": "phone app", "issuer": "creditcore"}
    return project.ask("POST", "/factors", body, token=session["access_token"])


def challenged(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    factor = enrol(project, session).json()["id"]
    return project.ask("POST", f"/factors/{factor}/challenge", token=session["access_token"])


def show_code(code: str = "", *, versioned: bool = False) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(ANNA)
        token = session["access_token"]
        factor = enrol(project, session).json()
        path = f"/factors/{factor['id']}"
        challenge = project.ask("POST", f"{path}/challenge", token=token).json()["id"]
        shown = code or totp(factor["totp"]["secret"])
        body = {"challenge_id": challenge, "code": shown}
        return project.ask("POST", f"{path}/verify", body, token=token, versioned=versioned)

    return run


def totp(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def with_factor(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    """A person whose app counts, signed in with the password alone."""

    def run(project: SupabaseProject) -> requests.Response:
        assert show_code()(project).status_code == 200
        return then(project, project.login(ANNA).json())

    return run


def factor_id(session: dict[str, Any]) -> str:
    return str(session["user"]["factors"][0]["id"])


def email_change(project: SupabaseProject) -> dict[str, Any]:
    session = project.join(ANNA)
    body = {"email": "anna2@example.com"}
    answer = project.ask("PUT", "/user", body, token=session["access_token"])
    assert answer.status_code == 200
    return session


def email_change_half(project: SupabaseProject) -> requests.Response:
    email_change(project)
    return open_link("email_change", "anna2@example.com")(project)


def email_change_done(project: SupabaseProject) -> requests.Response:
    email_change_half(project)
    return open_link("email_change", ANNA)(project)


def user_of(token: str, **more: Any) -> Flow:
    return lambda project: project.ask("GET", "/user", token=token, **more)


def own(method: str, path: str, **more: Any) -> Flow:
    return joined(
        lambda project, session: project.ask(method, path, token=session["access_token"], **more)
    )


def made(then: Callable[[SupabaseProject, str], requests.Response]) -> Flow:
    """Somebody whom an operator made."""

    def run(project: SupabaseProject) -> requests.Response:
        body = {"email": ANNA, "password": PASSWORD, "email_confirm": True}
        return then(project, project.admin("POST", "", body).json()["id"])

    return run


def expired(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    project.ahead(3700)
    return project.ask("GET", "/user", token=session["access_token"])


def gone(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(ANNA)
        assert project.admin("DELETE", f"/{session['user']['id']}").status_code == 200
        return then(project, session)

    return run


def signed_out(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(ANNA)
        project.ask("POST", "/logout?scope=local", token=session["access_token"])
        return then(project, session)

    return run


def get_user(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    return project.ask("GET", "/user", token=session["access_token"])


def change_password(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    other = project.login(ANNA).json()
    project.ask("PUT", "/user", {"password": "Another-horse-9"}, token=session["access_token"])
    return get_user(project, other)


def reauthenticated(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    project.set(require_reauthentication=True, jwt_life_s=200_000)
    token = project.refresh(session["refresh_token"]).json()["access_token"]
    project.ahead(90_000)
    return project.ask("PUT", "/user", {"password": "Another-horse-9"}, token=token)
