"""The stand-in as a WSGI application: the gateway in front, and the endpoints behind it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import jwt
import orjson
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.fault_queue import FaultQueue
from sandbox.routing import json_answer
from sandbox.supabase.admin import Admin
from sandbox.supabase.errors import AuthError
from sandbox.supabase.factors import Factors
from sandbox.supabase.faults import Fault
from sandbox.supabase.joining import Joining
from sandbox.supabase.keys import LEGACY_SECRET
from sandbox.supabase.mail import Outbox
from sandbox.supabase.oauth import OAuth
from sandbox.supabase.service import Service, ok
from sandbox.supabase.tokens import Tokens

PUBLISHABLE_KEY = "sb_publishable_sandbox"
SECRET_KEY = "sb_secret_sandbox"  # noqa: S105 - of the sandbox
MAX_BODY_BYTES = 1_048_576
MAX_CALLS_REMEMBERED = 10_000

ENDPOINTS = (
    "signup",
    "token",
    "verify",
    "recover",
    "resend",
    "user",
    "logout",
    "reauthenticate",
    "factors",
    "admin",
    "settings",
    "jwks",
    "authorize",
    "callback",
    "identities",
)
# The gateway lets these in without a key.
_OPEN = frozenset({"health-page", "jwks", "authorize", "callback", "consent", "verify"})
_BAD_KEY = {
    "message": "Invalid API key",
    "hint": "Double check your Supabase `anon` or `service_role` API key.",
}
_NO_KEY = {
    "message": "No API key found in request",
    "hint": "No `apikey` request header or url param was found.",
}


def legacy_key(role: str) -> str:
    """Return a key of the older generation: a long-lived JWT of a role."""
    claims = {"iss": "supabase", "role": role, "iat": 1_700_000_000, "exp": 4_000_000_000}
    return jwt.encode(claims, LEGACY_SECRET, algorithm="HS256")


class Supabase:
    """Mounted under ``/supabase``; the project's address is that mount."""

    def __init__(self, *, smtp: tuple[str, int] | None, site_url: str) -> None:
        """Start a project without people."""
        self.service = Service(Outbox(smtp))
        self.service.settings.site_url = site_url
        self.faults = FaultQueue[Fault]()
        self.calls: deque[dict[str, Any]] = deque(maxlen=MAX_CALLS_REMEMBERED)
        self._roles = {
            PUBLISHABLE_KEY: "anon",
            legacy_key("anon"): "anon",
            SECRET_KEY: "service_role",
            legacy_key("service_role"): "service_role",
        }
        self._map = Map(self._rules())

    def reset(self) -> None:
        """Forget people, calls, faults and changed settings."""
        self.service.reset()
        self.faults.clear()
        self.calls.clear()

    def _rules(self) -> list[Rule]:
        service = self.service
        joining = Joining(service)
        tokens = Tokens(service, joining)
        factors, oauth, admin = Factors(service), OAuth(service), Admin(service)
        routes: list[tuple[str, str, str, Callable[..., Response], bool]] = [
            ("POST", "/signup", "signup", joining.sign_up, True),
            ("POST", "/resend", "resend", joining.resend, True),
            ("POST", "/recover", "recover", joining.recover, True),
            ("POST", "/verify", "verify", joining.verify, True),
            ("GET", "/verify", "verify", joining.follow, False),
            ("POST", "/token", "token", tokens.token, True),
            ("GET", "/user", "user", tokens.user, False),
            ("PUT", "/user", "user", tokens.change_user, True),
            ("POST", "/logout", "logout", tokens.logout, False),
            ("GET", "/reauthenticate", "reauthenticate", tokens.reauthenticate, False),
            ("POST", "/factors", "factors", factors.enrol, True),
            ("POST", "/factors/<factor_id>/challenge", "factors", factors.challenge, False),
            ("POST", "/factors/<factor_id>/verify", "factors", factors.verify, True),
            ("DELETE", "/factors/<factor_id>", "factors", factors.unenrol, False),
            ("GET", "/authorize", "authorize", oauth.authorize, False),
            ("GET", "/callback", "callback", oauth.callback, False),
            ("POST", "/callback", "callback", oauth.callback, False),
            ("GET", "/consent/<provider>", "consent", oauth.consent, False),
            ("POST", "/consent/<provider>", "consent", oauth.answer, False),
            ("GET", "/user/identities/authorize", "identities", oauth.link, False),
            ("DELETE", "/user/identities/<identity_id>", "identities", oauth.unlink, False),
            ("GET", "/admin/users", "admin", admin.list_users, False),
            ("POST", "/admin/users", "admin", admin.create, True),
            ("GET", "/admin/users/<user_id>", "admin", admin.get, False),
            ("PUT", "/admin/users/<user_id>", "admin", admin.change, True),
            ("DELETE", "/admin/users/<user_id>", "admin", admin.delete, False),
            (
                "DELETE",
                "/admin/users/<user_id>/factors/<factor_id>",
                "admin",
                admin.unenrol,
                False,
            ),
            ("POST", "/invite", "admin", admin.invite, True),
            ("GET", "/settings", "settings", self._settings, False),
            ("GET", "/health", "health", self._health, False),
            ("GET", "/.well-known/jwks.json", "jwks", self._jwks, False),
        ]
        rules = []
        for method, path, name, handler, has_body in routes:
            rule = Rule(
                f"/auth/v1{path}",
                methods=[method],
                endpoint=(name, handler, has_body),
            )
            # Unlike werkzeug, the real one answers no HEAD where it answers GET.
            rule.methods = {method}
            rules.append(rule)
        return rules

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        self.service.issuer = f"{request.root_url.rstrip('/')}/auth/v1"
        try:
            (name, handler, has_body), variables = self._map.bind_to_environ(environ).match()
            response = self._answer(request, name, handler, has_body, variables)
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            response = Response(status=405, headers={"Allow": allowed, "Vary": "Origin"})
            response.headers.pop("Content-Type", None)
        except HTTPException:
            headers = {"Vary": "Origin", "X-Content-Type-Options": "nosniff"}
            response = Response("404 page not found\n", 404, headers, content_type="text/plain")
        return response(environ, start_response)

    def _answer(
        self,
        request: Request,
        name: str,
        handler: Callable[..., Response],
        has_body: bool,  # noqa: FBT001 - of the route table
        variables: Mapping[str, Any],
    ) -> Response:
        call: dict[str, Any] = {
            "endpoint": name,
            "method": request.method,
            "path": request.path,
            "query": request.args.to_dict(),
            "at": time.time(),
            "headers": {key: value for key, value in request.headers if key != "Cookie"},
            "status": None,
        }
        self.calls.append(call)
        try:
            response = self._gate(request, name) or self._work(
                request, name, handler, has_body, variables
            )
        except AuthError as error:
            response = error.answer(request)
        call["status"] = response.status_code
        return response

    def _gate(self, request: Request, name: str) -> Response | None:
        """Check the key, as the gateway does, and give a call without a token one of a role."""
        key = request.headers.get("apikey", "")
        role = self._roles.get(key)
        if role is None:
            if name in _OPEN:
                return None
            return json_answer(_BAD_KEY if key else _NO_KEY, 401)
        authorization = request.headers.get("Authorization", "")
        if authorization in {"", f"Bearer {key}"}:
            now = int(self.service.now)
            # Signed with the secret, which every key ring takes.
            claims = {"role": role, "iat": now, "exp": now + 60}
            token = jwt.encode(claims, LEGACY_SECRET, algorithm="HS256")
            request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return None

    def _work(
        self,
        request: Request,
        name: str,
        handler: Callable[..., Response],
        has_body: bool,  # noqa: FBT001 - of the route table
        variables: Mapping[str, Any],
    ) -> Response:
        fault = self.faults.take(name)
        if fault and not fault.after and (answer := fault.happen(request)):
            return answer
        arguments = [_body(request)] if has_body else []
        response = handler(request, *arguments, **variables)
        if fault and fault.after:
            self._undo(name, arguments)
            if answer := fault.happen(request):
                return answer
        return response

    def _undo(self, name: str, arguments: list[dict[str, Any]]) -> None:
        """Roll a sign-up back whose mail went out too late: its link is dead."""
        if name == "signup" and arguments:
            account = self.service.accounts.by_email(str(arguments[0].get("email", "")).lower())
            if account is not None and account.confirmed_at is None:
                self.service.accounts.remove(account.id)

    def _settings(self, _request: Request) -> Response:
        settings = self.service.settings
        off = (
            "anonymous_users apple azure bitbucket discord facebook snapchat figma fly gitlab"
            " keycloak kakao linkedin linkedin_oidc notion spotify slack slack_oidc workos twitch"
            " twitter phone zoom"
        )
        external = dict.fromkeys(off.split(), False)
        external |= {
            "email": not settings.email_disabled,
            "github": settings.github,
            "google": settings.google,
        }
        return ok(
            {
                "external": external,
                "disable_signup": settings.signup_disabled,
                "mailer_autoconfirm": settings.autoconfirm,
                "phone_autoconfirm": False,
                "sms_provider": "",
                "saml_enabled": False,
                "saml_private_key_next_configured": True,
                "passkeys_enabled": False,
            }
        )

    def _health(self, _request: Request) -> Response:
        return ok(
            {
                "version": "v2.196.0",
                "name": "GoTrue",
                "description": "GoTrue is a user registration and authentication API",
            }
        )

    def _jwks(self, _request: Request) -> Response:
        return ok(self.service.keys.public(), {"Cache-Control": "public, max-age=600"})


def _body(request: Request) -> dict[str, Any]:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        message = f"Request body too large (max {MAX_BODY_BYTES} bytes)"
        raise AuthError(413, "request_entity_too_large", message)
    content = request.get_data()
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        message = "Could not parse request body as JSON: unexpected end of JSON input"
        raise AuthError(400, "bad_json", message) from error
    if not isinstance(value, dict):
        message = "Could not parse request body as JSON: json: cannot unmarshal"
        raise AuthError(400, "bad_json", message)
    return value
