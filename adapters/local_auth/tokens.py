"""What stands in the links of our mails, and in recovery codes.

A link's token is its id and a code over it that only this site can compute. So the database
holds nothing that opens a link, and neither does the outbox: the token is made as it is mailed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from creditcore.domain.credentials import RECOVERY_CODES, MailedLink

_TOKEN = re.compile(r"([0-9a-f]{32})\.([A-Za-z0-9_-]{43})", re.ASCII)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is misread by hand: i, l, o, 0, 1."""

_CODE_LENGTH = 12


class Tokens:
    """Makes and checks them, with a secret of the operator's."""

    def __init__(self, auth_secret: str) -> None:
        self._key = hmac.digest(auth_secret.encode(), b"local accounts", hashlib.sha256)

    def link_id(self, cause: str) -> str:
        """Return the name of the link that an event causes: the same event has the same."""
        return self._mac(f"link id:{cause}")[:16].hex()

    def of_link(self, link: MailedLink) -> str:
        """Return what opens a link."""
        code = self._mac(f"link:{link.kind}:{link.id}:{link.person_id}:{link.email}")
        return f"{link.id}.{base64.urlsafe_b64encode(code).decode().rstrip('=')}"

    def opens(self, token: str, link: MailedLink) -> bool:
        """Whether a token is this link's."""
        return hmac.compare_digest(token, self.of_link(link))

    def recovery_hash(self, person_id: str, code: str) -> bytes:
        """Return what is kept of a recovery code, however it is typed.

        Its 59 bits and our secret make a slow hash needless.
        """
        typed = "".join(code.lower().split()).replace("-", "")
        return self._mac(f"recovery:{person_id}:{typed[:64]}")

    def _mac(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(errors="replace"), hashlib.sha256)


def link_id_of(token: str) -> str | None:
    """Return which link a token says it is for, if it has the shape of one."""
    shape = _TOKEN.fullmatch(token) if len(token) < 100 else None
    return shape[1] if shape else None


def new_recovery_codes() -> tuple[str, ...]:
    """Return ten codes to write down: ``abcd-efgh-jkmn``."""
    codes = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    )
    return tuple("-".join((code[:4], code[4:8], code[8:])) for code in codes)
