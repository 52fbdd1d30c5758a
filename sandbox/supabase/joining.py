"""POST /signup, /resend, /recover, /verify, and GET /verify: links and codes in mails."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from sandbox.supabase.accounts import Account, new_account, new_id
from sandbox.supabase.clock import stamp
from sandbox.supabase.errors import (
    AuthError,
    banned,
    code_expired,
    duplicate_key,
    invalid,
    link_expired,
)
from sandbox.supabase.flows import Flow, check_challenge
from sandbox.supabase.pages import see_other
from sandbox.supabase.service import Service, ok

_SLOTS = {
    "signup": ("confirmation",),
    "invite": ("confirmation",),
    "recovery": ("recovery",),
    "magiclink": ("recovery",),
    "email": ("confirmation", "recovery"),
    "email_change": ("email_change_new", "email_change_current"),
}
_ACCEPTED = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


class Joining:
    """These endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def sign_up(self, request: Request, body: dict[str, Any]) -> Response:
        """Make an account; a taken address gets an invented user."""
        service = self._service
        if service.settings.signup_disabled:
            message = "Signups not allowed for this instance"
            raise AuthError(422, "signup_disabled", message)
        if not body.get("email") and not body.get("phone"):
            message = "Anonymous sign-ins are disabled"
            raise AuthError(422, "anonymous_provider_disabled", message)
        if not body.get("password"):
            raise invalid("Signup requires a valid password")
        service.wants_captcha(request)
        password = service.password(body["password"])
        if service.settings.email_disabled:
            raise AuthError(400, "email_provider_disabled", "Email signups are disabled")
        email = service.email(body)
        known = service.accounts.by_email(email)
        service.pause()
        if known is None:
            return self._new(request, body, email, password)
        if known.confirmed_at is None:
            service.mail_window(known, "confirmation")
            service.mail(known, "signup", "confirmation", redirect_to=service.redirect_to(request))
            return ok(known.shown())
        if service.settings.autoconfirm:
            raise AuthError(422, "user_already_exists", "User already registered")
        return ok(self._invented(known, body))

    def _new(self, request: Request, body: dict[str, Any], email: str, password: str) -> Response:
        service = self._service
        if service.accounts.by_email(email):
            return duplicate_key(request, email)
        account = new_account(email, service.now)
        account.set_password(password)
        data = body.get("data")
        if isinstance(data, dict):
            # What the server fills wins, here; not when it is changed later.
            account.user_metadata = data | account.user_metadata
            account.identities[0].data = data | account.identities[0].data
        service.accounts.add(account)
        if service.settings.autoconfirm:
            account.confirm(service.now)
            answer = service.sign_in(account, "password")
            account.is_fresh = False
            return answer
        challenge = self._challenge(body, account, "email/signup", request)
        try:
            service.mail(
                account,
                "signup",
                "confirmation",
                redirect_to=service.redirect_to(request),
                flow_id=challenge,
            )
        except AuthError:
            # What could not be mailed never happened.
            service.accounts.remove(account.id)
            raise
        return ok(account.shown())

    def _invented(self, known: Account, body: dict[str, Any]) -> dict[str, Any]:
        now = stamp(self._service.now)
        data = body.get("data")
        invented: dict[str, Any] = {
            "id": new_id(),
            "aud": "authenticated",
            "role": "",
            "email": known.email,
            "phone": "",
            "confirmation_sent_at": now,
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": data if isinstance(data, dict) else {},
            "identities": [],
            "created_at": now,
            "updated_at": now,
            "is_anonymous": False,
        }
        if "recovery" in known.secrets:
            # Not perfectly blind.
            invented["recovery_sent_at"] = now
        return invented

    def _challenge(
        self, body: dict[str, Any], account: Account, authentication: str, request: Request
    ) -> str:
        """Begin a PKCE flow where the request wants one; return its id."""
        challenge = str(body.get("code_challenge") or "")
        method = str(body.get("code_challenge_method") or "")
        check_challenge(challenge, method)
        if not challenge:
            return ""
        service = self._service
        flow = Flow(
            challenge,
            method,
            service.redirect_to(request),
            service.now,
            account_id=account.id,
            authentication=authentication,
        )
        return service.flows.add(flow).state

    def resend(self, request: Request, body: dict[str, Any]) -> Response:
        """Mail a confirmation, or the links of a pending change of address, again."""
        service = self._service
        kind = body.get("type")
        if kind not in {"signup", "email_change"}:
            raise invalid("Missing one of these types: signup, email_change, sms, phone_change")
        if not body.get("email"):
            raise invalid("Type provided requires an email address")
        if service.settings.email_disabled:
            raise AuthError(400, "email_provider_disabled", "Email logins are disabled")
        service.wants_captcha(request)
        account = service.accounts.by_email(service.email(body))
        target = service.redirect_to(request)
        if account and kind == "signup" and account.confirmed_at is None:
            service.mail_window(account, "confirmation")
            service.mail(account, "signup", "confirmation", redirect_to=target)
        if account and kind == "email_change" and account.new_email:
            service.mail_window(account, "email_change")
            self.mail_email_change(account, target)
        return ok({})

    def recover(self, request: Request, body: dict[str, Any]) -> Response:
        """Mail a link for a new password; an unknown address is always a success."""
        service = self._service
        if not body.get("email"):
            raise invalid("Password recovery requires an email")
        if service.settings.email_disabled:
            raise AuthError(400, "email_provider_disabled", "Email logins are disabled")
        service.wants_captcha(request)
        account = service.accounts.by_email(service.email(body))
        if account is None:
            return ok({})
        service.mail_window(account, "recovery")
        flow_id = self._challenge(body, account, "recovery", request)
        target = service.redirect_to(request)
        service.mail(account, "recovery", "recovery", redirect_to=target, flow_id=flow_id)
        return ok({})

    def mail_email_change(self, account: Account, redirect_to: str) -> None:
        """Mail the links that confirm a new address."""
        service = self._service
        slots = [("email_change_new", account.new_email)]
        if service.settings.secure_email_change:
            slots.append(("email_change_current", account.email))
        for slot, to in slots:
            service.mail(account, "email_change", slot, to=to, redirect_to=redirect_to)

    # -- opening -------------------------------------------------------------------------

    def verify(self, _request: Request, body: dict[str, Any]) -> Response:
        """Open a link or take a code, for a server; no verifier is asked for."""
        service = self._service
        kind = body.get("type")
        if not kind:
            raise invalid("Verify requires a verification type")
        if body.get("token_hash"):
            if body.keys() & {"token", "email", "phone", "redirect_to"}:
                raise invalid("Only the token_hash and type should be provided")
            if kind not in _SLOTS:
                raise invalid("Invalid email verification type")
            account, slot = self._by_hash(kind, str(body["token_hash"]))
        elif body.get("token"):
            account, slot = self._by_code(kind, body)
        else:
            raise invalid("Verify requires a token or a token hash")
        service.pause()
        return self._opened(account, slot)

    def _by_hash(self, kind: str, value: str) -> tuple[Account, str]:
        service = self._service
        for slot in _SLOTS[kind]:
            account = service.accounts.by_hash(slot, value)
            if account is None:
                continue
            if service.now - account.secrets[slot].sent_at > service.settings.link_life_s:
                raise link_expired()
            if account.is_banned(service.now):
                raise banned()
            return account, slot
        raise link_expired()

    def _by_code(self, kind: str, body: dict[str, Any]) -> tuple[Account, str]:
        service = self._service
        email = service.email(body, status=422)
        for account in service.accounts:
            for slot in _SLOTS.get(kind, ()):
                to = account.new_email if slot == "email_change_new" else account.email
                secret = account.secrets.get(slot)
                if to != email or secret is None or secret.code != body["token"]:
                    continue
                if service.now - secret.sent_at > service.settings.link_life_s:
                    raise code_expired()
                if account.is_banned(service.now):
                    raise banned()
                return account, slot
        raise code_expired()

    def _opened(self, account: Account, slot: str) -> Response:
        service = self._service
        # Not at once with looking it up: parallel requests all succeed.
        account.secrets.pop(slot, None)
        if slot.startswith("email_change"):
            other = (set(_SLOTS["email_change"]) - {slot}).pop()
            if other in account.secrets:
                return ok({"code": "200", "msg": _ACCEPTED})
            taken = service.accounts.by_email(account.new_email)
            if taken is not None and taken is not account:
                message = "Error updating user"
                raise AuthError(500, "unexpected_failure", message)
            self._change_address(account)
        else:
            account.confirm(service.now)
            account.is_fresh = False
        return service.sign_in(account, "otp")

    def _change_address(self, account: Account) -> None:
        account.email, account.new_email = account.new_email, ""
        if identity := account.identity("email"):
            identity.data["email"] = account.email
        account.user_metadata["email"] = account.email

    def follow(self, request: Request) -> Response:
        """Open a link in a browser: the default template's way, which spends it at once."""
        service = self._service
        kind, token = request.args.get("type", ""), request.args.get("token", "")
        if not token:
            raise invalid("Verify requires a token or a token hash")
        if not kind:
            raise invalid("Verify requires a verification type")
        target = service.redirect_to(request)
        pkce = token.startswith("pkce_")
        try:
            account, slot = self._by_hash(kind if kind in _SLOTS else "signup", token)
        except AuthError as error:
            return see_other(_with_error(target, error, in_query=pkce))
        secret = account.secrets[slot]
        flow = service.flows.by_state(secret.flow_id)
        del account.secrets[slot]
        account.confirm(service.now)
        account.is_fresh = False
        if flow is not None:
            flow.code = new_id()
            mark = "&" if "?" in target else "?"
            return see_other(f"{target}{mark}code={flow.code}")
        account.last_sign_in_at = service.now
        session = service.sessions.open(account, "otp", service.now)
        body = service.session_body(account, session)
        fragment = urlencode(
            {
                "access_token": body["access_token"],
                "expires_at": body["expires_at"],
                "expires_in": body["expires_in"],
                "refresh_token": body["refresh_token"],
                "sb": "",
                "token_type": "bearer",
                "type": kind,
            }
        )
        headers = service.session_headers(account, session)
        return see_other(f"{target}#{fragment}", headers)


def _with_error(target: str, error: AuthError, *, in_query: bool) -> str:
    said = urlencode(
        {
            "error": "access_denied",
            "error_code": error.code,
            "error_description": error.message,
        }
    )
    mark = "&" if "?" in target else "?"
    return f"{target}{mark}{said}#{said}&sb=" if in_query else f"{target}#{said}&sb="
