"""How an environment is refused."""

from __future__ import annotations


class SettingsError(Exception):
    """The environment cannot be used.

    Attributes:
        faults: One sentence for each bad variable, all of them.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        listed = "\n".join(f"  - {fault}" for fault in faults)
        many = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(
            f"The configuration has {many}; .env.example explains each variable.\n{listed}"
        )
