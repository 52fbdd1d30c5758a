"""The stand-in's answers have the status, headers and fields of recorded ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests

from adapters.supabase_auth.pkce import challenge_of
from tests.integration.supabase_sandbox.project import PASSWORD, SECRET_KEY, SITE, SupabaseProject
from tests.stack import PATIENCE_S

DATA = Path(__file__).resolve().parents[2] / "data" / "gotrue-wire"
SHAPES: dict[str, Any] = json.loads((DATA / "shapes.json").read_text())
# Of the transport, not of the answer.
_TRANSPORT = {"Date", "Content-Length", "Transfer-Encoding", "Server", "Connection"}
_CALLBACK = f"{SITE}/auth/callback"
_ZERO_HASH = "0" * 56
_NOBODY = "11111111-1111-4111-8111-111111111111"
_VERIFIER = "v" * 64
_ANNA = "anna@example.com"
_JSON = {"Content-Type": "application/json"}
_NAMED = {"data": {"name": "Anna"}}

Flow = Callable[[SupabaseProject], requests.Response]


def shape(answer: requests.Response) -> dict[str, Any]:
    """Return what is compared of an answer."""
    headers = {name.title() for name in answer.headers} - _TRANSPORT
    body: str | list[str] = "empty"
    if answer.content:
        is_json = answer.headers.get("Content-Type", "") == "application/json"
        body = sorted(set(_paths(answer.json(), ""))) if is_json else "text"
    return {"status": answer.status_code, "headers": sorted(headers), "body": body}


def _paths(value: Any, path: str) -> Iterator[str]:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    yield f"{path or '$'}:{kinds.get(type(value), 'number')}"
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}" if path else name)
    if isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{path}[]")


def _joined(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    return lambda project: then(project, project.join(_ANNA))


def _setting(flow: Flow, **settings: Any) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        project.set(**settings)
        return flow(project)

    return run


def _faulty(flow: Flow, endpoint: str, code: str, **more: Any) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        project.fault(endpoint, code=code, **more)
        return flow(project)

    return run


def _sign_up(**body: Any) -> Flow:
    return lambda project: project.ask("POST", "/signup", body)


def _verify(**body: Any) -> Flow:
    return lambda project: project.ask("POST", "/verify", body)


def _login(email: str = _ANNA, password: str = PASSWORD, **more: Any) -> Flow:
    return lambda project: project.login(email, password, **more)


def _put(body: dict[str, Any], *, versioned: bool = False) -> Flow:
    return _joined(
        lambda project, session: project.ask(
            "PUT", "/user", body, token=session["access_token"], versioned=versioned
        )
    )


def _twice(flow: Flow) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        flow(project)
        return flow(project)

    return run


def _after_joining(flow: Flow) -> Flow:
    return _joined(lambda project, _: flow(project))


def _after_sign_up(flow: Flow) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        project.sign_up(_ANNA)
        return flow(project)

    return run


def _banned(flow: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(_ANNA)
        user_id = session["user"]["id"]
        assert project.admin("PUT", f"/{user_id}", {"ban_duration": "24h"}).status_code == 200
        return flow(project, session)

    return run


def _open_link(kind: str, to: str = _ANNA, **more: Any) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        token_hash = project.mails(to)[0]["token_hash"]
        return project.ask("POST", "/verify", {"type": kind, "token_hash": token_hash}, **more)

    return run


def _followed(project: SupabaseProject, *, twice: bool = False) -> requests.Response:
    mail = project.mails(_ANNA)[0]
    query = {
        "type": mail["type"],
        "token": mail["token_hash"],
        "redirect_to": _CALLBACK,
    }
    for _ in range(2 if twice else 1):
        answer = project.ask("GET", "/verify", params=query)
    return answer


def _recovering(project: SupabaseProject) -> requests.Response:
    project.join(_ANNA)
    assert project.ask("POST", "/recover", {"email": _ANNA}).status_code == 200
    return _open_link("recovery")(project)


def _grandparent(project: SupabaseProject) -> requests.Response:
    first = project.join(_ANNA)["refresh_token"]
    second = project.refresh(first).json()["refresh_token"]
    project.refresh(second)
    project.ahead(60)
    return project.refresh(first)


def _branch(project: SupabaseProject) -> requests.Response:
    first = project.join(_ANNA)["refresh_token"]
    second = project.refresh(first).json()["refresh_token"]
    project.refresh(second)
    return project.refresh(first)


def _authorize(
    project: SupabaseProject, provider: str = "github", **query: str
) -> requests.Response:
    usual = {
        "provider": provider,
        "redirect_to": _CALLBACK,
        "code_challenge": challenge_of(_VERIFIER),
        "code_challenge_method": "s256",
    }
    wanted = {name: value for name, value in (usual | query).items() if value}
    return project.ask("GET", "/authorize", params=wanted)


def _returned(act: str = "approve", *, provider: str = "github", **more: Any) -> Flow:
    """Walk the consent page; the answer is the one of ``/callback``."""

    def run(project: SupabaseProject) -> requests.Response:
        started = _authorize(project, provider)
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


def _exchange(provider: str = "github", verifier: str = _VERIFIER, *, ahead: float = 0) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        back = _returned(provider=provider)(project)
        code = back.headers["Location"].rpartition("code=")[2]
        project.ahead(ahead)
        body = {"auth_code": code, "code_verifier": verifier}
        return project.ask("POST", "/token?grant_type=pkce", body)

    return run


def _enrol(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    body = {"factor_type": "totp", "friendly_name": "phone app", "issuer": "creditcore"}
    return project.ask("POST", "/factors", body, token=session["access_token"])


def _challenge(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    factor = _enrol(project, session).json()["id"]
    return project.ask("POST", f"/factors/{factor}/challenge", token=session["access_token"])


def _show_code(code: str = "", *, versioned: bool = False) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(_ANNA)
        token = session["access_token"]
        factor = _enrol(project, session).json()
        path = f"/factors/{factor['id']}"
        challenge = project.ask("POST", f"{path}/challenge", token=token).json()["id"]
        shown = code or _totp(factor["totp"]["secret"])
        body = {"challenge_id": challenge, "code": shown}
        return project.ask("POST", f"{path}/verify", body, token=token, versioned=versioned)

    return run


def _totp(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def _with_factor(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    """A person whose app counts, signed in with the password alone."""

    def run(project: SupabaseProject) -> requests.Response:
        assert _show_code()(project).status_code == 200
        return then(project, project.login(_ANNA).json())

    return run


def _factor_id(session: dict[str, Any]) -> str:
    return str(session["user"]["factors"][0]["id"])


def _email_change(project: SupabaseProject) -> dict[str, Any]:
    session = project.join(_ANNA)
    body = {"email": "anna2@example.com"}
    answer = project.ask("PUT", "/user", body, token=session["access_token"])
    assert answer.status_code == 200
    return session


def _email_change_half(project: SupabaseProject) -> requests.Response:
    _email_change(project)
    return _open_link("email_change", "anna2@example.com")(project)


def _email_change_done(project: SupabaseProject) -> requests.Response:
    _email_change_half(project)
    return _open_link("email_change", _ANNA)(project)


def _user(token: str, **more: Any) -> Flow:
    return lambda project: project.ask("GET", "/user", token=token, **more)


def _own(method: str, path: str, **more: Any) -> Flow:
    return _joined(
        lambda project, session: project.ask(method, path, token=session["access_token"], **more)
    )


def _made(then: Callable[[SupabaseProject, str], requests.Response]) -> Flow:
    """Somebody whom an operator made."""

    def run(project: SupabaseProject) -> requests.Response:
        body = {"email": _ANNA, "password": PASSWORD, "email_confirm": True}
        return then(project, project.admin("POST", "", body).json()["id"])

    return run


def _expired(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    project.ahead(3700)
    return project.ask("GET", "/user", token=session["access_token"])


def _gone(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(_ANNA)
        assert project.admin("DELETE", f"/{session['user']['id']}").status_code == 200
        return then(project, session)

    return run


def _signed_out(then: Callable[[SupabaseProject, dict[str, Any]], requests.Response]) -> Flow:
    def run(project: SupabaseProject) -> requests.Response:
        session = project.join(_ANNA)
        project.ask("POST", "/logout?scope=local", token=session["access_token"])
        return then(project, session)

    return run


def _get_user(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    return project.ask("GET", "/user", token=session["access_token"])


def _change_password(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    other = project.login(_ANNA).json()
    project.ask("PUT", "/user", {"password": "Another-horse-9"}, token=session["access_token"])
    return _get_user(project, other)


def _reauthenticated(project: SupabaseProject, session: dict[str, Any]) -> requests.Response:
    project.set(require_reauthentication=True, jwt_life_s=200_000)
    token = project.refresh(session["refresh_token"]).json()["access_token"]
    project.ahead(90_000)
    return project.ask("PUT", "/user", {"password": "Another-horse-9"}, token=token)


FLOWS: dict[str, Flow] = {
    "meta-health": lambda project: project.ask("GET", "/health"),
    "meta-settings": lambda project: project.ask("GET", "/settings"),
    "meta-jwks-es256": lambda project: project.ask("GET", "/.well-known/jwks.json", key=""),
    "meta-notfound": lambda project: project.ask("GET", "/nosuchpath"),
    "meta-methodnotallowed": lambda project: project.ask("GET", "/signup"),
    "settings-head": lambda project: project.ask("HEAD", "/settings"),
    # -- sign-up
    "signup-new-confirm-on": lambda project: project.sign_up("Anna@Example.com", **_NAMED),
    "signup-existing-unconfirmed": _twice(lambda project: project.sign_up(_ANNA, **_NAMED)),
    "signup-existing-confirmed": _after_joining(
        lambda project: project.sign_up(_ANNA, data={"name": "Mallory"})
    ),
    "signup-invalid-missing-password": _sign_up(email=_ANNA),
    "signup-invalid-missing-email": _sign_up(password=PASSWORD),
    "signup-invalid-bad-email": _sign_up(email="nobody", password=PASSWORD),
    "signup-invalid-weak-password": _sign_up(email=_ANNA, password="abc"),
    "signup-invalid-weak-password-ver": lambda project: project.ask(
        "POST", "/signup", {"email": _ANNA, "password": "abc"}, versioned=True
    ),
    "signup-invalid-long-password": _sign_up(email=_ANNA, password="x" * 73),
    "signup-badjson": lambda project: project.ask(
        "POST", "/signup", data=b'{"email"', headers=_JSON
    ),
    "signup-body-too-large": _sign_up(email=_ANNA, password=PASSWORD, data={"x": "y" * 1_100_000}),
    "signup-pkce-invalid-method-missing": _sign_up(
        email=_ANNA, password=PASSWORD, code_challenge="c" * 43
    ),
    "signup-autoconfirm-existing": _setting(
        _twice(lambda project: project.sign_up(_ANNA)), autoconfirm=True
    ),
    "signup-autoconfirm-existing-ver": _setting(
        _after_sign_up(
            lambda project: project.ask(
                "POST", "/signup", {"email": _ANNA, "password": PASSWORD}, versioned=True
            )
        ),
        autoconfirm=True,
    ),
    "signup-window-second": _setting(
        _twice(lambda project: project.sign_up(_ANNA)), mail_window_s=60
    ),
    "signup-mailquota-second": _setting(lambda project: project.sign_up(_ANNA), mail_quota=0),
    "signup-disabled": _setting(lambda project: project.sign_up(_ANNA), signup_disabled=True),
    "signup-email-disabled": _setting(lambda project: project.sign_up(_ANNA), email_disabled=True),
    "signup-smtp-slow": _faulty(
        lambda project: project.sign_up(_ANNA), "signup", "request_timeout"
    ),
    "captcha-missing-signup": _setting(lambda project: project.sign_up(_ANNA), captcha=True),
    # -- password grant
    "login-ok": _after_joining(_login()),
    "login-ok-ver": _after_joining(_login(versioned=True)),
    "login-email-uppercase": _after_joining(_login("ANNA@Example.com")),
    "login-wrong-password": _after_joining(_login(password="Wrong-horse-9")),
    "login-wrong-password-ver": _after_joining(_login(password="Wrong-horse-9", versioned=True)),
    "login-unknown-email": _login(),
    "login-missing-email": lambda project: project.ask(
        "POST", "/token?grant_type=password", {"password": PASSWORD}
    ),
    "login-unconfirmed-right-password": _after_sign_up(_login()),
    "login-unconfirmed-wrong-password": _after_sign_up(_login(password="Wrong-horse-9")),
    "login-banned-right-password": _banned(lambda project, _: project.login(_ANNA)),
    "login-banned-wrong-password": _banned(lambda project, _: project.login(_ANNA, "Wrong-9")),
    "login-no-grant": lambda project: project.ask("POST", "/token", {"email": _ANNA}),
    "login-unsupported-grant": lambda project: project.ask(
        "POST", "/token?grant_type=client_credentials", {}
    ),
    "login-badjson": lambda project: project.ask(
        "POST",
        "/token?grant_type=password",
        data=b"{",
        headers=_JSON,
    ),
    "login-email-disabled": _setting(_login(), email_disabled=True),
    "login-mfa-user-aal1": _with_factor(lambda project, _: project.login(_ANNA)),
    "login-refresh-v2": _setting(_after_joining(_login()), refresh_algorithm=2),
    "login-password-oauth-only-user": lambda project: (
        _returned()(project) and project.login("octo@example.com")
    ),
    "token-get": lambda project: project.ask("GET", "/token?grant_type=password"),
    "request-timeout-login": _faulty(_login(), "token", "request_timeout"),
    "request-timeout-login-ver": _faulty(_login(versioned=True), "token", "request_timeout"),
    "ratelimit-token": _faulty(_login(), "token", "over_request_rate_limit"),
    "dbdown-login": _faulty(_login(), "token", "unexpected_failure"),
    # -- refresh
    "refresh-ok": _joined(lambda project, session: project.refresh(session["refresh_token"])),
    "refresh-reuse-parent-within-interval": _joined(
        lambda project, session: _twice(lambda p: p.refresh(session["refresh_token"]))(project)
    ),
    "refresh-reuse-grandparent-after-interval": _grandparent,
    "refresh-branch-1-grandparent-in-interval": _branch,
    "refresh-v2-ok": _setting(
        _joined(lambda project, session: project.refresh(session["refresh_token"])),
        refresh_algorithm=2,
    ),
    "refresh-v2-reuse-grandparent-within-interval": _setting(_branch, refresh_algorithm=2),
    "refresh-v2-reuse-grandparent-after-interval": _setting(_grandparent, refresh_algorithm=2),
    "refresh-unknown": lambda project: project.refresh("abcdefghijkl"),
    "refresh-unknown-ver": lambda project: project.refresh("abcdefghijkl", versioned=True),
    "refresh-malformed-short": lambda project: project.refresh("abc"),
    "refresh-missing-field": lambda project: project.ask(
        "POST", "/token?grant_type=refresh_token", {}
    ),
    "refresh-banned": _banned(lambda project, session: project.refresh(session["refresh_token"])),
    "refresh-after-logout-local": _signed_out(
        lambda project, session: project.refresh(session["refresh_token"])
    ),
    "refresh-after-user-deleted": _gone(
        lambda project, session: project.refresh(session["refresh_token"])
    ),
    "dbdown-refresh": _faulty(
        lambda project: project.refresh("abcdefghijkl"), "token", "unexpected_failure"
    ),
    # -- links and codes
    "verify-signup-tokenhash": lambda project: (
        project.sign_up(_ANNA, **_NAMED) and _open_link("signup")(project)
    ),
    "verify-signup-tokenhash-used": _after_sign_up(_twice(_open_link("signup"))),
    "verify-signup-tokenhash-used-ver": _after_sign_up(
        _twice(_open_link("signup", versioned=True))
    ),
    "verify-tokenhash-wrong-type-recovery": _after_sign_up(_open_link("recovery")),
    "verify-email-type-tokenhash-ok": _after_sign_up(_open_link("email")),
    "verify-tokenhash-unknown-type": _verify(type="banana", token_hash=_ZERO_HASH),
    "verify-tokenhash-missing-type": _verify(token_hash=_ZERO_HASH),
    "verify-tokenhash-unknown-hash": _verify(type="signup", token_hash=_ZERO_HASH),
    "verify-tokenhash-plus-email": _verify(type="signup", token_hash=_ZERO_HASH, email=_ANNA),
    "verify-otp-wrong-code": _after_sign_up(_verify(type="signup", email=_ANNA, token="no-code")),
    "verify-otp-bad-email": _verify(type="signup", email="nobody", token="123456"),
    "verify-recovery-tokenhash": _recovering,
    "verify-email-change-first-new": _email_change_half,
    "verify-email-change-second-current": _email_change_done,
    "verify-get-signup-implicit": _after_sign_up(_followed),
    "verify-get-signup-used": _after_sign_up(lambda project: _followed(project, twice=True)),
    "verify-get-no-token": lambda project: project.ask("GET", "/verify?type=signup"),
    "verify-get-head": lambda project: project.ask(
        "HEAD", f"/verify?token={_ZERO_HASH}&type=signup"
    ),
    "recover-known": _after_joining(
        lambda project: project.ask("POST", "/recover", {"email": _ANNA})
    ),
    "recover-unknown": lambda project: project.ask("POST", "/recover", {"email": _ANNA}),
    "recover-missing-email": lambda project: project.ask("POST", "/recover", {}),
    "recover-bad-email": lambda project: project.ask("POST", "/recover", {"email": "nobody"}),
    "recover-window-second": _setting(
        _after_joining(_twice(lambda project: project.ask("POST", "/recover", {"email": _ANNA}))),
        mail_window_s=60,
    ),
    "recover-email-disabled": _setting(
        lambda project: project.ask("POST", "/recover", {"email": _ANNA}), email_disabled=True
    ),
    "resend-signup-unconfirmed": _after_sign_up(
        lambda project: project.ask("POST", "/resend", {"type": "signup", "email": _ANNA})
    ),
    "resend-signup-unknown": lambda project: project.ask(
        "POST", "/resend", {"type": "signup", "email": _ANNA}
    ),
    "resend-type-recovery": lambda project: project.ask(
        "POST", "/resend", {"type": "recovery", "email": _ANNA}
    ),
    # -- OAuth
    "oauth-authorize-github": _authorize,
    "oauth-authorize-google": lambda project: _authorize(project, "google"),
    "oauth-authorize-unknown-provider": lambda project: _authorize(project, "banana"),
    "oauth-authorize-method-missing": lambda project: _authorize(project, code_challenge_method=""),
    "oauth-authorize-challenge-short": lambda project: _authorize(project, code_challenge="abc"),
    "oauth-callback-github-new-user": _returned(),
    "oauth-callback-google": _returned(provider="google"),
    "oauth-callback-user-denied": _returned("cancel"),
    "oauth-callback-provider-500": _returned("fail"),
    "oauth-callback-no-email": _returned(email=""),
    "oauth-callback-unverified-email": _returned(verified=None),
    "oauth-callback-state-missing": lambda project: project.ask("GET", "/callback?code=x"),
    "oauth-callback-state-unknown": lambda project: project.ask(
        "GET", f"/callback?code=x&state={_NOBODY}"
    ),
    "oauth-callback-signup-disabled": _setting(_returned(), signup_disabled=True),
    "pkce-exchange-ok": _exchange(),
    "pkce-exchange-wrong-verifier": _exchange(verifier="w" * 64),
    "pkce-exchange-expired": _exchange(ahead=600),
    "pkce-exchange-unknown-code": lambda project: project.ask(
        "POST", "/token?grant_type=pkce", {"auth_code": _NOBODY, "code_verifier": _VERIFIER}
    ),
    "pkce-exchange-empty": lambda project: project.ask(
        "POST", "/token?grant_type=pkce", {"auth_code": "", "code_verifier": ""}
    ),
    # -- the person
    "user-get": lambda project: (
        project.sign_up(_ANNA, **_NAMED) and _get_user(project, project.verify(_ANNA, "signup"))
    ),
    "user-get-garbage-jwt": _user("garbage"),
    "user-get-garbage-jwt-ver": _user("garbage", versioned=True),
    "user-get-anon-key": _user(""),
    "user-get-no-auth": _user("", headers={"Authorization": "Basic eDp5"}),
    "user-get-expired": _joined(_expired),
    "user-get-banned": _banned(_get_user),
    "user-get-after-user-deleted": _gone(_get_user),
    "user-get-after-logout": _signed_out(_get_user),
    "user-get-other-session-after-password-change": _joined(_change_password),
    "user-get-factor-unverified": _joined(
        lambda project, session: _enrol(project, session) and _get_user(project, session)
    ),
    "user-get-factor-verified": _with_factor(_get_user),
    "user-put-password-ok": lambda project: (
        project.sign_up(_ANNA, **_NAMED)
        and project.ask(
            "PUT",
            "/user",
            {"password": "Another-horse-9"},
            token=project.verify(_ANNA, "signup")["access_token"],
        )
    ),
    "user-put-same-password": _put({"password": PASSWORD}),
    "user-put-weak-password": _put({"password": "abc"}),
    "user-put-weak-password-ver": _put({"password": "abc"}, versioned=True),
    "user-put-long-password": _put({"password": "x" * 73}),
    "user-put-email-bad": _put({"email": "nobody"}),
    "user-put-app-metadata": _put({"app_metadata": {"role": "admin"}}),
    "user-put-email-change": _put({"email": "anna2@example.com"}),
    "user-put-password-aal1": _with_factor(
        lambda project, session: project.ask(
            "PUT", "/user", {"password": "Another-horse-9"}, token=session["access_token"]
        )
    ),
    "user-put-password-reauth-needed": _joined(_reauthenticated),
    "user-put-current-password-missing": _setting(
        lambda project: (
            project.join(_ANNA)
            and project.ask(
                "PUT",
                "/user",
                {"password": "Another-horse-9"},
                token=project.login(_ANNA).json()["access_token"],
            )
        ),
        require_current_password=True,
    ),
    "user-identities-unlink-disabled": _setting(
        _own("DELETE", f"/user/identities/{_NOBODY}"), manual_linking=False
    ),
    "user-delete": _own("DELETE", "/user"),
    "dbdown-user-get": _faulty(_joined(_get_user), "user", "unexpected_failure", bare=True),
    "reauthenticate-ok": _own("GET", "/reauthenticate"),
    "reauthenticate-post": _own("POST", "/reauthenticate"),
    "logout-local": _own("POST", "/logout?scope=local"),
    "logout-local-again": _signed_out(
        lambda project, session: project.ask(
            "POST", "/logout?scope=local", token=session["access_token"]
        )
    ),
    "logout-global-default": _own("POST", "/logout"),
    "logout-bad-scope": _own("POST", "/logout?scope=banana"),
    "gateway-anon-logout": lambda project: project.ask("POST", "/logout"),
    # -- second factor
    "factors-challenge": _joined(_challenge),
    "factors-enroll-totp": _joined(_enrol),
    "factors-enroll-same-name": _joined(
        lambda project, session: _twice(lambda p: _enrol(p, session))(project)
    ),
    "factors-bad-type": _joined(
        lambda project, session: project.ask(
            "POST", "/factors", {"factor_type": "smoke"}, token=session["access_token"]
        )
    ),
    "factors-verify-ok": _show_code(),
    "factors-verify-wrong": _show_code("no-code"),
    "factors-verify-wrong-ver": _show_code("no-code", versioned=True),
    "factors-unknown": _joined(
        lambda project, session: project.ask(
            "POST", f"/factors/{_NOBODY}/challenge", token=session["access_token"]
        )
    ),
    "factors-not-uuid": _joined(
        lambda project, session: project.ask(
            "POST", "/factors/abc/challenge", token=session["access_token"]
        )
    ),
    "factors-enroll-second-aal1": _with_factor(_enrol),
    "factors-unenroll-aal1": _with_factor(
        lambda project, session: project.ask(
            "DELETE", f"/factors/{_factor_id(session)}", token=session["access_token"]
        )
    ),
    # -- operators
    "admin-create": lambda project: project.admin(
        "POST",
        "",
        {
            "email": _ANNA,
            "password": PASSWORD,
            "email_confirm": True,
            "app_metadata": {"plan": "pro"},
            "user_metadata": {"name": "Anna"},
        },
    ),
    "admin-create-duplicate": _made(lambda project, _: project.admin("POST", "", {"email": _ANNA})),
    "admin-create-duplicate-ver": _made(
        lambda project, _: project.admin("POST", "", {"email": _ANNA}, versioned=True)
    ),
    "admin-create-no-email": lambda project: project.admin("POST", "", {"password": PASSWORD}),
    "admin-create-bad-email": lambda project: project.admin("POST", "", {"email": "nobody"}),
    "admin-list": _made(lambda project, _: project.admin("GET", "?page=1&per_page=2")),
    "admin-list-beyond": _made(lambda project, _: project.admin("GET", "?page=99&per_page=2")),
    "admin-list-bad-page": lambda project: project.admin("GET", "?page=x"),
    "admin-anon": lambda project: project.ask("GET", "/admin/users"),
    "admin-get-unknown": lambda project: project.admin("GET", f"/{_NOBODY}"),
    "admin-get-unknown-ver": lambda project: project.admin("GET", f"/{_NOBODY}", versioned=True),
    "admin-get-not-uuid": lambda project: project.admin("GET", "/abc"),
    "admin-ban-bad": _made(
        lambda project, user: project.admin("PUT", f"/{user}", {"ban_duration": "1d"})
    ),
    "admin-delete-no-body": _made(lambda project, user: project.admin("DELETE", f"/{user}")),
    "admin-delete-again": _made(
        lambda project, user: _twice(lambda p: p.admin("DELETE", f"/{user}"))(project)
    ),
    "admin-invite": lambda project: project.ask(
        "POST", "/invite", {"email": _ANNA, **_NAMED}, key=SECRET_KEY
    ),
    "admin-invite-existing": _made(
        lambda project, _: project.ask("POST", "/invite", {"email": _ANNA}, key=SECRET_KEY)
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_an_answer_has_the_recorded_shape(project: SupabaseProject, name: str) -> None:
    assert shape(FLOWS[name](project)) == SHAPES[name]


def test_every_recorded_shape_here_is_compared() -> None:
    assert SHAPES.keys() == FLOWS.keys()
