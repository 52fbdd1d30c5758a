"""Keys at the model server: a copy of each of ours, so that its own log and limits know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamKey:
    """A key as the model server should have it.

    Attributes:
        key_id: Our id of it.
        owner_id: Whose it is.
        name: What its owner calls it.
        headroom_microusd: What it may still spend there, in 10^-6 USD. The ledger is the exact
            gate; this only has to be enough.
    """

    key_id: str
    owner_id: str
    name: str
    headroom_microusd: int


class UpstreamKeys(Protocol):
    """What the model server keeps of our keys. Never called inside a database transaction."""

    def can_keep(self) -> bool:
        """Whether it has a database to keep keys in.

        Raises:
            UpstreamUnavailableError: It does not answer.
        """

    def put(self, key: UpstreamKey) -> str:
        """Make or change the copy of a key, read it back, and return its name there.

        A repeat changes nothing.

        Raises:
            UpstreamUnavailableError: It is not known to be as it should.
        """

    def remove(self, key_id: str) -> None:
        """See to it that the copy of a key opens nothing; a repeat changes nothing.

        Raises:
            UpstreamUnavailableError: It may still do.
        """

    def secret(self, key_id: str) -> str:
        """Return the secret of a copy. It is derived each time, and stored nowhere."""
