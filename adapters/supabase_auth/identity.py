"""The core's ``IdentityProvider``, kept by Supabase Auth."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.supabase_auth.accounts import SessionReader, Tokens, identity_of
from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.answers import Answer
from adapters.supabase_auth.client import GoTrueClient
from adapters.supabase_auth.gateway import Gateway
from adapters.supabase_auth.inputs import is_code, is_possible_password, new_password
from adapters.supabase_auth.links import Links
from adapters.supabase_auth.oauth import OAuth
from adapters.supabase_auth.once import Once
from adapters.supabase_auth.project import Project
from adapters.supabase_auth.second_factor import SecondFactor
from adapters.supabase_auth.tokens import TokenVerifier
from creditcore.domain.errors import (
    BadCredentialsError,
    CodeRefusedError,
    CodeSentError,
    IdentityError,
    IdentityUnavailableError,
    InvalidRequestError,
    NotOfferedError,
    SessionEndedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import (
    Capability,
    Enrolled,
    Enrolment,
    Grant,
    Identity,
    LinkKind,
    Method,
    NeedsConfirmation,
    OAuthFlow,
    SignedIn,
    SignIn,
    SignOutScope,
)
from creditcore.domain.people import clean_email
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Transactions

_OFFERED = {Method.GOOGLE: Capability.GOOGLE, Method.GITHUB: Capability.GITHUB}


class SupabaseIdentityProvider:
    """People of a Supabase project.

    Holds no state of a visitor. Uses the low-privilege key alone: nothing that a visitor
    can start has an operator's power.
    """

    def __init__(
        self,
        client: GoTrueClient,
        clock: Clock,
        transactions: Transactions,
        *,
        base_url: str,
        methods: frozenset[Method] = frozenset(),
        linking: bool = False,
        site_name: str = "creditcore",
        issuer: str = "",
    ) -> None:
        """Prepare the provider; nothing is asked yet.

        Args:
            client: With the publishable (or ``anon``) key.
            clock: Tells which tokens are over.
            transactions: Where claims are taken: links and codes are used once, guesses bounded.
            base_url: Of this site, where links of mails lead.
            methods: Google and GitHub, as far as they are to be offered.
            linking: Whether manual linking is on in the project.
            site_name: What an authenticator app calls this site.
            issuer: Who issues the project's tokens, where it is not the project's address.
        """
        self._gateway = Gateway(client)
        self._clock = clock
        self._once = Once(transactions, clock)
        self._project = Project(client, methods, linking=linking)
        self._sessions = SessionReader(TokenVerifier(client, clock, issuer=issuer))
        self._links = Links(self._gateway, self._sessions, self._once, base_url=base_url)
        self._oauth = OAuth(self._gateway, self._sessions, self._once)
        self._second_factor = SecondFactor(
            self._gateway, self._sessions, self._once, issuer=site_name
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the project can do, as its settings say."""
        return self._project.capabilities

    # -- joining -----------------------------------------------------------------------

    def sign_up(self, email: str, password: str, *, next_path: str = "") -> SignIn:
        """Make an account; the answer of a taken address is the one of a free address."""
        email = clean_email(email)
        answer = self._gateway.ask(
            Call.SIGN_UP,
            "POST",
            "/signup",
            query=self._links.return_to(next_path),
            body={"email": email, "password": new_password(password, email=email)},
        )
        # Only a session tells the outcomes apart. The user in the answer may be invented.
        if "access_token" not in answer.body:
            return NeedsConfirmation(email=email)
        return self._sessions.first_factor(answer)

    def resend_confirmation(self, email: str, *, next_path: str = "") -> None:
        """Ask for the confirmation mail once more."""
        self._links.resend_confirmation(email, next_path=next_path)

    def redeem(self, kind: LinkKind, token: str) -> SignIn:
        return self._links.redeem(kind, token)

    # -- getting in and out ------------------------------------------------------------

    def sign_in(self, email: str, password: str) -> SignIn:
        try:
            email = clean_email(email)
        except InvalidRequestError as error:
            raise BadCredentialsError from error
        answer = self._by_password(email, password)
        if answer.code == "email_not_confirmed":
            return NeedsConfirmation(email=email)
        return self._sessions.first_factor(answer)

    def verify_second_factor(self, grant: Grant, code: str) -> SignedIn:
        return self._second_factor.verify(grant, code)

    def redeem_recovery_code(self, grant: Grant, code: str) -> SignedIn:  # noqa: ARG002 - the port's
        """Refuse: Supabase Auth has no recovery codes."""
        raise NotOfferedError

    def refresh(self, grant: Grant) -> SignedIn:
        try:
            answer = self._gateway.ask(
                Call.REFRESH,
                "POST",
                "/token",
                query={"grant_type": "refresh_token"},
                body={"refresh_token": Tokens.of(grant).refresh},
            )
        except TooManyAttemptsError as error:
            raise IdentityUnavailableError from error
        newer = self._sessions.signed_in(answer)
        if (newer.grant.subject, newer.grant.session_id) != (grant.subject, grant.session_id):
            raise SessionEndedError
        return newer

    def check(self, grant: Grant) -> Identity:
        """Ask whether session and account still count: tokens verify here until they end."""
        identity = identity_of(self._user(grant))
        if identity.subject != grant.subject:
            raise SessionEndedError
        return identity

    def reauthenticate(self, grant: Grant, password: str) -> None:
        """Check a password by signing in with it, and out again."""
        email = self.check(grant).email
        with self._once.guess("password", grant.subject):
            answer = self._by_password(email, password)
            access = answer.body.get("access_token")
            if answer.code or not isinstance(access, str):
                raise BadCredentialsError
        self._gateway.end_session(access)

    def sign_out(self, grant: Grant, scope: SignOutScope) -> None:
        """End sessions at the server.

        It does not listen to a token that is over, and the session would live on: so such a
        grant is refreshed first.
        """
        try:
            if grant.good_until is not None and self._clock.now() >= grant.good_until:
                grant = self.refresh(grant).grant
            self._gateway.end_session(Tokens.of(grant).access, scope)
        except IdentityError:
            return

    # -- password ----------------------------------------------------------------------

    def begin_recovery(self, email: str, *, next_path: str = "") -> None:
        """Ask for a link for a new password."""
        self._links.begin_recovery(email, next_path=next_path)

    def complete_recovery(self, grant: Grant, password: str) -> SignedIn:
        answer = self._change(
            grant, {"password": new_password(password)}, tolerate=frozenset({"same_password"})
        )
        if answer.code:
            # They remembered it after all, which ends no session by itself.
            self._gateway.end_session(Tokens.of(grant).access, SignOutScope.OTHERS)
            return SignedIn(identity=self.check(grant), grant=grant)
        return SignedIn(identity=identity_of(answer.body), grant=grant)

    def change_password(
        self, grant: Grant, password: str, *, current: str = "", code: str = ""
    ) -> SignedIn:
        """Replace the password of who is signed in; the server ends all other sessions.

        By default it does not ask for the old one, so it is checked here.
        """
        identity = self.check(grant)
        body = {"password": new_password(password, email=identity.email)}
        if current or Method.PASSWORD in identity.methods:
            self.reauthenticate(grant, current)
            body["current_password"] = current
        if code:
            if not is_code(code):
                raise CodeRefusedError
            body["nonce"] = code
        answer = self._change(grant, body, tolerate=frozenset({"reauthentication_needed"}))
        if answer.code:
            self._gateway.ask(
                Call.CHANGE_USER, "GET", "/reauthenticate", user_token=Tokens.of(grant).access
            )
            raise CodeSentError
        return SignedIn(identity=identity_of(answer.body), grant=grant)

    # -- address -----------------------------------------------------------------------

    def begin_email_change(self, grant: Grant, email: str) -> None:
        """Ask for the links to both addresses; a taken address gets none, silently."""
        self._change(
            grant,
            {"email": clean_email(email)},
            query=self._links.return_to(""),
            tolerate=frozenset({"email_exists"}),
        )

    def confirm_email_change(self, token: str) -> Identity | None:
        """Confirm a new address by a link."""
        return self._links.confirm_email_change(token)

    # -- Google and GitHub --------------------------------------------------------------

    def begin_oauth(
        self, method: Method, *, return_url: str, link_to: Grant | None = None
    ) -> OAuthFlow:
        """Return where to send the browser.

        An account with the same confirmed address is found by the server. To connect any other
        (``link_to``), manual linking has to be on in the project, which its settings do not say.
        """
        offered = self.capabilities
        if _OFFERED.get(method) not in offered:
            raise NotOfferedError
        if link_to is not None and Capability.LINKING not in offered:
            raise NotOfferedError
        return self._oauth.begin(method, return_url=return_url, link_to=link_to)

    def complete_oauth(self, secret: bytes, query: Mapping[str, str]) -> SignIn:
        return self._oauth.complete(secret, query)

    def unlink(self, grant: Grant, method: Method) -> Identity:
        """Take Google or GitHub off an account; the server keeps the last identity."""
        if Capability.LINKING not in self.capabilities:
            raise NotOfferedError
        self._oauth.unlink(grant, method)
        return self.check(grant)

    # -- second factor -----------------------------------------------------------------

    def begin_second_factor(self, grant: Grant) -> Enrolment:
        return self._second_factor.begin(grant)

    def confirm_second_factor(self, grant: Grant, enrolment_id: str, code: str) -> Enrolled:
        """Let an app count."""
        return self._second_factor.confirm(grant, enrolment_id, code)

    def remove_second_factor(self, grant: Grant) -> SignedIn:
        return self._second_factor.remove(grant)

    def renew_recovery_codes(self, grant: Grant) -> tuple[str, ...]:  # noqa: ARG002 - the port's
        """Refuse: Supabase Auth has no recovery codes."""
        raise NotOfferedError

    # ------------------------------------------------------------------------------------

    def _by_password(self, email: str, password: str) -> Answer:
        if not is_possible_password(password):
            raise BadCredentialsError
        return self._gateway.ask(
            Call.SIGN_IN,
            "POST",
            "/token",
            query={"grant_type": "password"},
            body={"email": email, "password": password},
            tolerate=frozenset({"email_not_confirmed"}),
        )

    def _user(self, grant: Grant) -> Mapping[str, object]:
        access = Tokens.of(grant).access
        return self._gateway.ask(Call.READ_USER, "GET", "/user", user_token=access).body

    def _change(
        self,
        grant: Grant,
        body: Mapping[str, object],
        *,
        query: Mapping[str, str] | None = None,
        tolerate: frozenset[str] = frozenset(),
    ) -> Answer:
        return self._gateway.ask(
            Call.CHANGE_USER,
            "PUT",
            "/user",
            query=query,
            body=body,
            user_token=Tokens.of(grant).access,
            tolerate=tolerate,
        )
