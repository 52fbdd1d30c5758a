"""The names of keys, for figures that know only their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from creditcore.domain.keys import ApiKey
from creditcore.ports.usage_hours import NO_KEY


@dataclass(frozen=True, slots=True)
class KeyNames:
    """What the keys of a wallet are called, revoked ones too."""

    keys: Mapping[str, ApiKey]

    @classmethod
    def of(cls, keys: Iterable[ApiKey]) -> KeyNames:
        """Name keys, in the order that they come in."""
        return cls({key.id: key for key in keys})

    def __getitem__(self, key_id: str) -> str:
        if key_id == NO_KEY:
            return "Playground"
        key = self.keys.get(key_id)
        return f"{key.name or 'Unnamed'} \u2026{key.last_four}" if key else "A key that is gone"

    def choices(self) -> list[tuple[str, str]]:
        """Return every key with its name, and calls without one last."""
        return [(key_id, self[key_id]) for key_id in (*self.keys, NO_KEY)]
