"""The guards of ``guards.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Guard:
    """A few words of code that something rests on.

    Attributes:
        name: The rule it keeps.
        file: Where it stands, from the root of the repository.
        take: Its text, which stands there once.
        leave: What stands there instead while it is out.
        tests: Files or names of tests, one of which has to fail then.
    """

    name: str
    file: str
    take: str
    leave: str
    tests: Sequence[str]

    def taken_out_of(self, text: str) -> str:
        """Return the text of its file without it.

        Raises:
            ValueError: It stands there not once.
        """
        found = text.count(self.take)
        if found != 1:
            raise ValueError(f"{self.file} has the text of {self.name!r} {found} times, not once")
        return text.replace(self.take, self.leave)


def guards() -> Sequence[Guard]:
    """Return all of them, as the file has them."""
    document = tomllib.loads(Path(__file__).with_name("guards.toml").read_text())
    return [Guard(**each) for each in document["guard"]]
