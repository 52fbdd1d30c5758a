"""POST /token, GET and PUT /user, POST /logout, GET /reauthenticate."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.supabase.accounts import Account
from sandbox.supabase.errors import AuthError, banned, email_exists, invalid
from sandbox.supabase.flows import check_verifier
from sandbox.supabase.joining import Joining
from sandbox.supabase.service import Service, ok
from sandbox.supabase.sessions import Session

_DAY_S = 86_400


class Tokens:
    """These endpoints."""

    def __init__(self, service: Service, joining: Joining) -> None:
        self._service = service
        self._joining = joining

    def token(self, request: Request, body: dict[str, Any]) -> Response:
        """Grant a session; the grant stands in the query."""
        grants = {
            "password": self._password,
            "refresh_token": self._refresh,
            "pkce": self._pkce,
        }
        grant = request.args.get("grant_type", "")
        if grant == "password":
            self._service.wants_captcha(request)
        if grant not in grants:
            raise AuthError(400, "invalid_credentials", "unsupported_grant_type")
        return grants[grant](body)

    def _password(self, body: dict[str, Any]) -> Response:
        service = self._service
        if not body.get("email"):
            raise invalid("missing email or phone")
        if service.settings.email_disabled:
            raise AuthError(422, "email_provider_disabled", "Email logins are disabled")
        account = service.accounts.by_email(str(body["email"]).lower())
        if account is None:
            raise AuthError(400, "invalid_credentials", "Invalid login credentials")
        if account.is_banned(service.now):
            # Looked at before the password.
            raise banned(400)
        if not account.has_password(str(body.get("password", ""))):
            raise AuthError(400, "invalid_credentials", "Invalid login credentials")
        if account.confirmed_at is None:
            raise AuthError(400, "email_not_confirmed", "Email not confirmed")
        return service.sign_in(account, "password", weak_password=None)

    def _refresh(self, body: dict[str, Any]) -> Response:
        service = self._service
        session, headers = service.sessions.refresh(body.get("refresh_token"), service.now)
        account = service.accounts.get(session.account_id)
        assert account is not None  # noqa: S101 - sessions end with their account
        if account.is_banned(service.now):
            raise banned(400, headers={"Sb-Auth-User-Id": account.id})
        service.pause()
        more = service.session_headers(account, session) | headers
        return ok(service.session_body(account, session), more)

    def _pkce(self, body: dict[str, Any]) -> Response:
        service = self._service
        code, verifier = body.get("auth_code"), body.get("code_verifier")
        if not code or not verifier:
            message = "invalid request: both auth code and code verifier should be non-empty"
            raise invalid(message)
        flow = service.flows.by_code(str(code))
        account = service.accounts.get(flow.account_id) if flow else None
        if flow is None or account is None:
            message = "invalid flow state, no valid flow state found"
            raise AuthError(404, "flow_state_not_found", message)
        if service.now - flow.created_at > service.settings.flow_life_s:
            # Links in mails too: it counts from when the mail was asked for.
            message = "invalid flow state, flow state has expired"
            raise AuthError(422, "flow_state_expired", message)
        check_verifier(flow, str(verifier))
        service.pause()
        # Not at once with looking it up: parallel requests all succeed.
        service.flows.remove(flow)
        more: dict[str, Any] = {}
        if flow.provider_token:
            more["provider_token"] = flow.provider_token
        if flow.provider == "google":
            more["provider_refresh_token"] = "1//sandbox"  # noqa: S105 - of the sandbox
        return service.sign_in(account, flow.authentication, **more)

    # -- the person ----------------------------------------------------------------------

    def user(self, request: Request) -> Response:
        """Return whose token it is."""
        account, _ = self._service.caller(request)
        return ok(account.shown())

    def change_user(self, request: Request, body: dict[str, Any]) -> Response:
        """Change address, password or metadata."""
        service = self._service
        account, session = service.caller(request)
        if "app_metadata" in body:
            message = "Updating app_metadata requires admin privileges"
            raise AuthError(403, "not_admin", message)
        wanted_email = service.email(body) if body.get("email") else ""
        password = body.get("password")
        protected = wanted_email or password is not None
        if protected and account.has_second_factor and (session is None or session.aal != "aal2"):
            message = "AAL2 session is required to update email or password when MFA is enabled."
            raise AuthError(401, "insufficient_aal", message)
        if (
            wanted_email
            and wanted_email != account.email
            and service.accounts.by_email(wanted_email)
        ):
            raise email_exists()
        if password is not None:
            self._change_password(account, session, body)
        data = body.get("data")
        if isinstance(data, dict):
            merged = account.user_metadata | data
            account.user_metadata = {k: v for k, v in merged.items() if v is not None}
        if wanted_email and wanted_email != account.email:
            service.mail_window(account, "email_change")
            account.new_email = wanted_email
            self._joining.mail_email_change(account, service.redirect_to(request))
        account.updated_at = service.now
        return ok(account.shown())

    def _change_password(
        self, account: Account, session: Session | None, body: dict[str, Any]
    ) -> None:
        service = self._service
        password = service.password(body["password"])
        recovered = session is not None and any(
            m in {"otp", "recovery"} for m, _ in session.methods
        )
        if service.settings.require_current_password and account.password and not recovered:
            message = "Current password required when setting new password."
            current = body.get("current_password")
            if not current:
                raise AuthError(400, "current_password_required", message)
            if not account.has_password(str(current)):
                raise AuthError(400, "current_password_invalid", message)
        if self._needs_code(session):
            self._check_code(account, body.get("nonce"))
        if account.has_password(password):
            message = "New password should be different from the old password."
            raise AuthError(422, "same_password", message)
        account.set_password(password)
        # Pending links are dead; ``new_email`` stays in the user all the same.
        account.secrets.clear()
        account.sent_at.clear()
        for other in service.sessions.of(account.id):
            if session is None or other.id != session.id:
                service.sessions.end(other)

    def _needs_code(self, session: Session | None) -> bool:
        if not self._service.settings.require_reauthentication:
            return False
        return session is None or self._service.now - session.created_at > _DAY_S

    def _check_code(self, account: Account, nonce: object) -> None:
        if not nonce:
            message = "Password update requires reauthentication"
            raise AuthError(400, "reauthentication_needed", message)
        secret = account.secrets.get("reauthentication")
        if secret is None or secret.code != nonce:
            message = "Nonce has expired or is invalid"
            raise AuthError(422, "reauthentication_not_valid", message)

    def reauthenticate(self, request: Request) -> Response:
        """Mail a code."""
        service = self._service
        account, _ = service.caller(request)
        service.mail_window(account, "reauthentication")
        target = service.settings.site_url
        service.mail(account, "reauthentication", "reauthentication", redirect_to=target)
        return ok({})

    def logout(self, request: Request) -> Response:
        """End sessions: all, unless the scope says less."""
        service = self._service
        account, session = service.caller(request)
        scope = request.args.get("scope", "global")
        if scope not in {"global", "local", "others"}:
            raise invalid(f'Unsupported logout scope "{scope}"')
        for other in service.sessions.of(account.id):
            own = session is not None and other.id == session.id
            if scope == "global" or own == (scope == "local"):
                service.sessions.end(other)
        response = Response(status=204)
        response.headers.pop("Content-Type", None)
        response.headers["Vary"] = "Origin"
        return response
