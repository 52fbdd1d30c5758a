"""Links in mails: asking for them, and opening them."""

from __future__ import annotations

from adapters.supabase_auth.accounts import SessionReader, identity_of
from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.answers import Answer
from adapters.supabase_auth.gateway import Gateway
from adapters.supabase_auth.inputs import link_token
from adapters.supabase_auth.once import LINK_LIFE, Once
from creditcore.domain.errors import LinkRefusedError
from creditcore.domain.identities import Identity, LinkKind, NeedsSecondFactor, SignedIn
from creditcore.domain.people import clean_email


class Links:
    """Mailed links. They are opened by our server, with what the link carries (``token_hash``).

    The other way, PKCE, ends five minutes after the mail was asked for, and works in one browser.
    """

    def __init__(
        self, gateway: Gateway, sessions: SessionReader, once: Once, *, base_url: str
    ) -> None:
        """Prepare.

        Args:
            gateway: Whom to ask.
            sessions: Reads what an opened link brings.
            once: Sees to it that a link is opened once, also at the same moment.
            base_url: Of this site.
        """
        self._gateway = gateway
        self._sessions = sessions
        self._once = once
        self._base_url = base_url.rstrip("/")

    def return_to(self, next_path: str) -> dict[str, str]:
        """Return the parameter that says where a link leads on to: the mail's template repeats it.

        Only a whole address goes through, and only one that the project allows. The site's own,
        without a path, says that there is no such wish.
        """
        return {"redirect_to": f"{self._base_url}{next_path}"}

    def resend_confirmation(self, email: str, *, next_path: str) -> None:
        """Mail a new link to an address that waits to be confirmed."""
        self._gateway.ask(
            Call.SEND_MAIL,
            "POST",
            "/resend",
            query=self.return_to(next_path),
            body={"type": "signup", "email": clean_email(email)},
        )

    def begin_recovery(self, email: str, *, next_path: str) -> None:
        """Mail a link for a new password."""
        self._gateway.ask(
            Call.SEND_MAIL,
            "POST",
            "/recover",
            query=self.return_to(next_path),
            body={"email": clean_email(email)},
        )

    def redeem(self, kind: LinkKind, token: str) -> SignedIn | NeedsSecondFactor:
        """Let in the person who opens a link."""
        if kind is LinkKind.EMAIL_CHANGE:
            raise LinkRefusedError
        return self._sessions.first_factor(self._open(Call.VERIFY, kind, token))

    def confirm_email_change(self, token: str) -> Identity | None:
        """Confirm a new address; None where the other address has to as well."""
        answer = self._open(Call.CONFIRM_EMAIL, LinkKind.EMAIL_CHANGE, token)
        access = answer.body.get("access_token")
        user = answer.body.get("user")
        if not isinstance(access, str) or not isinstance(user, dict):
            return None
        # The link brought a session that was not asked for.
        self._gateway.end_session(access)
        return identity_of(user)

    def _open(self, call: Call, kind: LinkKind, token: str) -> Answer:
        body = {"type": kind.value, "token_hash": link_token(token)}
        with self._once.use("link", token, life=LINK_LIFE) as first:
            if not first:
                raise LinkRefusedError
            return self._gateway.ask(call, "POST", "/verify", body=body)
