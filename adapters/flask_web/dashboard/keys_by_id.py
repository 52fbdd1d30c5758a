"""The names of keys, for figures that know only their ids; and of who calls without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapters.flask_web.web.account import Account
from creditcore.domain.holds import Hold
from creditcore.domain.keys import ApiKey
from creditcore.ports.transactions import Transaction
from creditcore.ports.usage_hours import NO_KEY, is_no_key, key_of, member_without_key, no_key_of
from creditcore.usecases.teams.use_by_member import names_of_members

PLAYGROUND = "Playground"


@dataclass(frozen=True, slots=True)
class KeyNames:
    """What the keys of a wallet are called, revoked ones too.

    Attributes:
        members: The members of a team whose playground calls may be told apart, by what stands
            for their key.
    """

    keys: Mapping[str, ApiKey]
    members: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Iterable[ApiKey]) -> KeyNames:
        """Name keys, in the order that they come in."""
        return cls({key.id: key for key in keys})

    @classmethod
    def read(cls, tx: Transaction, shown: Account, wallet_id: str) -> KeyNames:
        """Name the keys of an account, and its members as far as who looks may see them."""
        keys = {key.id: key for key in tx.keys.list_of(shown.id)}
        if not shown.is_team:
            return cls(keys)
        callers = {member_without_key(name) for name in tx.usage_hours.last_uses(wallet_id)}
        seen = [each for each in callers if each and shown.seen_holder_id in {"", each}]
        names = names_of_members(tx, shown.id, seen)
        return cls(
            keys,
            {no_key_of(each): names[each] for each in sorted(seen, key=lambda each: names[each])},
        )

    def __getitem__(self, key_id: str) -> str:
        if is_no_key(key_id):
            member = self.members.get(key_id)
            return f"{PLAYGROUND}, {member}" if member else PLAYGROUND
        key = self.keys.get(key_id)
        return f"{key.name or 'Unnamed'} \u2026{key.last_four}" if key else "A key that is gone"

    def of_call(self, hold: Hold) -> str:
        """Name what a call was made with, and who made it without a key."""
        return self[key_of(hold)] if hold.call else ""

    @property
    def filters(self) -> list[str]:
        """What calls and usage can be narrowed to, beside ``NO_KEY``."""
        return [*self.keys, *self.members]

    def choices(self) -> list[tuple[str, str]]:
        """Return every key with its name, then calls without one, of all and of each member."""
        return [(key_id, self[key_id]) for key_id in (*self.keys, NO_KEY, *self.members)]
