"""Signing keys: one that signs, one that waits, and the project's legacy secret."""

from __future__ import annotations

import json
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

LEGACY_SECRET = "sandbox-legacy-jwt-secret-0123456789abcdef"  # noqa: S105 - of the sandbox


class KeyRing:
    """The keys of one project."""

    def __init__(self, algorithm: str) -> None:
        """Make new keys for an algorithm; HS256 has none but the secret."""
        self.algorithm = algorithm
        self._keys: list[tuple[str, Any]] = []
        if algorithm != "HS256":
            self._keys = [self._new(), self._new()]

    def rotate(self) -> None:
        """Let the key that waits sign from now on; the former one stays listed."""
        if self._keys:
            self._keys.reverse()

    def revoke(self) -> None:
        """Drop the key that does not sign, and add a new one in its place."""
        if self._keys:
            self._keys = [self._keys[0], self._new()]

    def _new(self) -> tuple[str, Any]:
        key: Any
        if self.algorithm == "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return str(uuid.uuid4()), key

    def public(self) -> dict[str, Any]:
        """Return the key set as it is published."""
        return {"keys": [self._published(kid, key) for kid, key in self._keys]}

    def _published(self, kid: str, key: Any) -> dict[str, Any]:
        public = key.public_key()
        text = (
            ECAlgorithm.to_jwk(public) if self.algorithm == "ES256" else RSAAlgorithm.to_jwk(public)
        )
        shown = json.loads(text)
        shown |= {"alg": self.algorithm, "key_ops": ["verify"], "kid": kid, "use": "sig"}
        return dict(shown)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return an access token."""
        if not self._keys:
            # Tokens of a shared secret name no key.
            return jwt.encode(claims, LEGACY_SECRET, algorithm="HS256")
        kid, key = self._keys[0]
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": kid})

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token, if any of the keys signed it.

        Raises:
            InvalidTokenError: None did. Time and claims are not looked at.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
        for known, key in self._keys:
            if known == kid:
                return dict(jwt.decode(token, key.public_key(), [self.algorithm], options=options))
        return dict(jwt.decode(token, LEGACY_SECRET, ["HS256"], options=options))
