"""What the control endpoint may change while the stand-in runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Paystack waits three minutes and then hours; tests and people watching a demo cannot.
RETRY_DELAYS_S = (0.2, 1.0, 3.0, 10.0, 30.0)


@dataclass(slots=True)
class Settings:
    """Switches and times, in seconds.

    Attributes:
        webhook_url: Where events go; None sends none.
        retry_delays_s: The pauses before further attempts of an event that was not answered 200.
        webhook_timeout_s: How long one attempt may take.
        late_webhook_s: How late a ``latewebhook`` event leaves.
        slow_s: How slow ``slow`` is.
        phone_answer_s: How long the owner of a phone takes to answer.
        phone_timeout_s: How long the network waits for one who does not.
    """

    webhook_url: str | None = None
    retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S
    webhook_timeout_s: float = 10.0
    late_webhook_s: float = 3.0
    slow_s: float = 3.0
    phone_answer_s: float = 2.0
    phone_timeout_s: float = 180.0

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply changes by name.

        Raises:
            ValueError: A name is unknown or a value makes no sense; nothing was changed.
        """
        if unknown := changes.keys() - asdict(self).keys():
            raise ValueError(f"Unknown setting: {', '.join(sorted(unknown))}.")
        read: dict[str, Any] = {}
        for name, value in changes.items():
            if name == "webhook_url":
                read[name] = None if value is None else str(value)
            elif name == "retry_delays_s":
                read[name] = tuple(float(delay) for delay in value)
            else:
                read[name] = float(value)
        for name, value in read.items():
            setattr(self, name, value)
