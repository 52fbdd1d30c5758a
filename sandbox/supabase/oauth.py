"""GET /authorize, the provider's page, and GET /callback."""

from __future__ import annotations

import hashlib
import uuid
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson
from werkzeug.wrappers import Request, Response

from sandbox.supabase.accounts import Account, Identity, new_account, new_id
from sandbox.supabase.errors import AuthError, invalid
from sandbox.supabase.flows import Flow, check_challenge
from sandbox.supabase.pages import consent, found, see_other
from sandbox.supabase.service import Service, ok

PROVIDERS = ("google", "github")
_SCOPES = {"github": "user:email", "google": "email profile"}
_MAX_EMAIL = 254


class OAuth:
    """These endpoints, and a page that stands for both providers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def authorize(self, request: Request) -> Response:
        """Send the browser to the provider; what is wrong is said to it in JSON."""
        return found(self._provider_url(request))

    def link(self, request: Request) -> Response:
        """Say where the browser of a person goes who wants to connect a provider."""
        account, _ = self._service.caller(request)
        self._allow_linking()
        url = self._provider_url(request, links=account.id)
        return ok({"url": url}) if request.args.get("skip_http_redirect") == "true" else found(url)

    def unlink(self, request: Request, identity_id: str) -> Response:
        """Take a way in off an account; the last one stays."""
        account, _ = self._service.caller(request)
        self._allow_linking()
        try:
            uuid.UUID(identity_id)
        except ValueError as error:
            raise invalid("identity_id must be an UUID", 404) from error
        if len(account.identities) < 2:
            message = "User must have at least 1 identity after unlinking"
            raise AuthError(422, "single_identity_not_deletable", message)
        wanted = [item for item in account.identities if item.id == identity_id]
        if not wanted:
            raise AuthError(422, "identity_not_found", "Identity doesn't exist")
        account.identities.remove(wanted[0])
        return ok({})

    def _allow_linking(self) -> None:
        if not self._service.settings.manual_linking:
            raise AuthError(404, "manual_linking_disabled", "Manual linking is disabled")

    def _provider_url(self, request: Request, *, links: str = "") -> str:
        service = self._service
        provider = request.args.get("provider", "")
        if provider not in PROVIDERS:
            raise invalid(f"Unsupported provider: Provider {provider} could not be found")
        if not getattr(service.settings, provider):
            raise invalid("Unsupported provider: provider is not enabled")
        challenge = request.args.get("code_challenge", "")
        method = request.args.get("code_challenge_method", "")
        check_challenge(challenge, method)
        target = service.redirect_to(request)
        flow = service.flows.add(
            Flow(
                challenge,
                method,
                target,
                service.now,
                provider=provider,
                account_id=links,
                links=bool(links),
            )
        )
        query = {
            "client_id": f"{provider}-client-id",
            # Passed on to the provider, so nothing in it is secret.
            "redirect_to": request.args.get("redirect_to", ""),
            "redirect_uri": f"{service.issuer}/callback",
            "response_type": "code",
            "scope": _SCOPES[provider],
            "state": flow.state,
        }
        return f"{service.issuer}/consent/{provider}?{urlencode(query)}"

    def consent(self, request: Request, provider: str) -> Response:
        """Ask the person, as the provider would."""
        here = f"{self._service.issuer}/consent/{provider}"
        return consent(provider, request.args.get("state", ""), here)

    def answer(self, request: Request, provider: str) -> Response:
        """Send the browser back with what the person chose."""
        act = request.form.get("act", "")
        query = {"state": request.form.get("state", "")}
        if act == "cancel":
            query["error"] = "access_denied"
            query["error_description"] = "The user has denied your application access."
        elif act == "fail":
            query["code"] = "bad"
        else:
            email = request.form.get("email", "")[:_MAX_EMAIL].strip().lower()
            verified = "v" if request.form.get("verified") else "u"
            query["code"] = f"{verified}.{email.encode().hex()}"
        del provider
        return found(f"{self._service.issuer}/callback?{urlencode(query)}")

    def callback(self, request: Request) -> Response:
        """Take the browser from the provider, and send it on to the application."""
        service = self._service
        state = request.values.get("state", "")
        flow = service.flows.by_state(state)
        if problem := self._problem(state, flow):
            return self._lost(*problem)
        assert flow is not None  # noqa: S101 - else there was a problem
        if error := request.values.get("error"):
            # No error code: who presses cancel comes back like this.
            said = {"error": error, "error_description": request.values["error_description"]}
            return self._back(flow, said)
        code = request.values.get("code", "")
        if not code:
            message = "OAuth callback with missing authorization code missing"
            return self._failed(flow, "invalid_request", "bad_oauth_callback", message)
        verified, _, text = code.partition(".")
        if verified not in {"v", "u"}:
            message = f"Unable to exchange external code: {code}"
            return self._failed(flow, "server_error", "unexpected_failure", message)
        return self._arrived(flow, bytes.fromhex(text).decode(), verified=verified == "v")

    def _problem(self, state: str, flow: Flow | None) -> tuple[str, str] | None:
        if not state:
            return "bad_oauth_callback", "OAuth state parameter missing"
        try:
            uuid.UUID(state)
        except ValueError:
            return "bad_oauth_state", "OAuth state parameter is invalid"
        if flow is None:
            return "bad_oauth_state", "OAuth state not found or expired"
        if self._service.now - flow.created_at > self._service.settings.flow_life_s:
            return "bad_oauth_state", "OAuth state has expired"
        if flow.code:
            return "flow_state_already_used", "State has already been used"
        return None

    def _lost(self, code: str, message: str) -> Response:
        """Where it was to go is unknown: the site's own address, query only, JSON behind."""
        said = {"error": "invalid_request", "error_code": code, "error_description": message}
        body = {"code": 400, "error_code": code, "msg": message}
        site = self._service.settings.site_url
        return see_other(f"{site}?{urlencode(said)}", after=orjson.dumps(body).decode())

    def _failed(self, flow: Flow, error: str, code: str, message: str) -> Response:
        said = {"error": error, "error_code": code, "error_description": message}
        return self._back(flow, said)

    def _back(self, flow: Flow, said: dict[str, str]) -> Response:
        parts = urlsplit(flow.redirect_to)
        text = urlencode(said)
        query = "&".join(part for part in (text, parts.query) if part)
        return found(urlunsplit(parts._replace(query=query, fragment=f"{text}&sb=")))

    def _arrived(self, flow: Flow, email: str, *, verified: bool) -> Response:
        service = self._service
        if not email:
            message = "Error getting user email from external provider"
            return self._failed(flow, "server_error", "unexpected_failure", message)
        provider_id = str(int(hashlib.sha256(email.encode()).hexdigest()[:12], 16))
        account = service.accounts.by_identity(flow.provider, provider_id)
        if flow.links:
            owner = service.accounts.get(flow.account_id)
            if account is not None or owner is None:
                message = "Identity is already linked to another user"
                if account is owner:
                    message = "Identity is already linked"
                return self._failed(flow, "server_error", "identity_already_exists", message)
            # Any address will do: they are who they are already.
            self._add_identity(flow, owner, email, provider_id)
            account = owner
        if account is None:
            known = service.accounts.by_email(email)
            if known is None and service.settings.signup_disabled:
                message = "Signups not allowed for this instance"
                return self._failed(flow, "access_denied", "signup_disabled", message)
            account = self._join(flow, known if verified else None, email, provider_id)
        if account.is_banned(service.now):
            return self._failed(flow, "access_denied", "user_banned", "User is banned")
        if not verified and account.confirmed_at is None:
            name = flow.provider
            service.mail(account, "signup", "confirmation", redirect_to=service.settings.site_url)
            message = (
                f"Unverified email with {name}."
                f" A confirmation email has been sent to your {name} email"
            )
            code = "provider_email_needs_verification"
            return self._failed(flow, "access_denied", code, message)
        account.confirm(service.now)
        account.is_fresh = False
        flow.account_id, flow.code = account.id, new_id()
        flow.provider_token = f"{flow.provider}-sandbox-token"
        mark = "&" if "?" in flow.redirect_to else "?"
        target, _, fragment = flow.redirect_to.partition("#")
        return found(f"{target}{mark}code={flow.code}" + (f"#{fragment}" if fragment else ""))

    def _join(self, flow: Flow, known: Account | None, email: str, provider_id: str) -> Account:
        """Return the account that a new way in belongs to."""
        service = self._service
        account = known
        if account is None:
            account = new_account(email, service.now, provider=flow.provider)
            service.accounts.add(account)
        elif account.confirmed_at is None:
            # A password that was set before the address was shown to be theirs is dropped.
            account.password = ""
            account.identities.clear()
        self._add_identity(flow, account, email, provider_id)
        return account

    def _add_identity(self, flow: Flow, account: Account, email: str, provider_id: str) -> None:
        service = self._service
        data = {
            "avatar_url": f"{service.issuer}/avatar.png",
            "email": email,
            "email_verified": True,
            "full_name": "Octo Cat",
            "iss": f"https://{flow.provider}.sandbox.example",
            "name": "Octo Cat",
            "phone_verified": False,
            "preferred_username": "octo",
            "provider_id": provider_id,
            "sub": provider_id,
            "user_name": "octo",
        }
        if flow.provider == "google":
            data = {k: v for k, v in data.items() if k not in {"preferred_username", "user_name"}}
            data["picture"] = data["avatar_url"]
        # ``sub`` of the metadata is the provider's id then, not ours.
        account.user_metadata |= data
        account.identities.append(Identity(flow.provider, provider_id, data, service.now))
