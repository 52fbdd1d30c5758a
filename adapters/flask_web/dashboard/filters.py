"""What addresses of pages about usage say: period, key, model, and what else is asked for.

Everything that is shown can be shared and gone back to, so it stands in the address. What
cannot be read is named, and left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from creditcore.domain.endings import Ending
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import (
    MAX_DAYS,
    Period,
    Slot,
    days,
    last_24_hours,
    last_days,
    one_hour,
    this_month,
)

RANGES = {
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "month": "This month",
    "custom": "From \u2026 to",
}
_HOUR = "hour"
_PARTS = {"model": "Model", "key": "Key", "endpoint": "Endpoint"}
GROUPS = {**_PARTS, "none": "No groups"}
GROUPS_OF_TEAM = {**_PARTS, "member": "Member", "none": "No groups"}
OUTCOMES = {
    Ending.DONE: "Done",
    Ending.CANCELLED: "Cancelled",
    Ending.FAILED: "Failed",
    Ending.RUNNING: "Running",
}
_DEFAULT_RANGE = "7d"
_MAX_TEXT_LENGTH = 300


@dataclass(slots=True)
class Asked:
    """What an address asks for, as far as it can be read.

    Attributes:
        error: What calls failed by; empty for all.
        faults: What could not be read, one sentence each.
    """

    range: str = _DEFAULT_RANGE
    key_id: str | None = None
    model: str | None = None
    group: str = "model"
    outcome: Ending | None = None
    error: str = ""
    min_cost: str = ""
    search: str = ""
    period: Period | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def at_least(self) -> Credits:
        """The least cost that is asked for."""
        return _balance(self.min_cost) if self.min_cost else ZERO

    def query(self, **changes: str | None) -> dict[str, str]:
        """Return what an address says that asks for this, with some of it changed."""
        said: dict[str, str | None] = {
            "range": self.range if self.range != _DEFAULT_RANGE or self.period else None,
            "key": self.key_id,
            "model": self.model,
            "group": self.group if self.group != "model" else None,
            "outcome": str(self.outcome) if self.outcome else None,
            "error": self.error or None,
            "min_cost": self.min_cost or None,
            "q": self.search or None,
        }
        if self.range == "custom" and self.period:
            said |= {"from": f"{self.period.first}", "to": f"{self.period.last}"}
        if self.range == _HOUR and self.period:
            said |= _of_hour(self.period.span.since)
        return {
            name: value
            for name, value in (said | changes).items()
            # Calls without a key are asked for by empty text.
            if value is not None and (value or name == "key")
        }

    def query_of(self, slot: Slot, **changes: str | None) -> dict[str, str]:
        """Return what an address says that asks for one slot of it."""
        if slot.unit == _HOUR:
            return self.query(**{**_of_hour(slot.span.since), **changes})
        last = slot.span.until - timedelta(hours=12)
        days = {
            "from": f"{slot.starts:%Y-%m-%d}",
            "to": f"{last.astimezone(slot.starts.tzinfo):%Y-%m-%d}",
        }
        return self.query(**{"range": "custom", **days, **changes})


def _of_hour(begin: datetime) -> dict[str, str]:
    return {"range": _HOUR, "at": f"{begin:%Y-%m-%dT%H:00Z}"}


def read(
    args: Mapping[str, str],
    *,
    now: datetime,
    zone: tzinfo,
    default_range: str | None = _DEFAULT_RANGE,
    keys: Sequence[str] = (),
    groups: Collection[str] = GROUPS.keys(),
) -> Asked:
    """Read an address.

    Args:
        args: Its query.
        now: When it is asked.
        zone: Whose days are meant.
        default_range: Which period is meant by none; None for no period at all.
        keys: The ids of keys there are: no other is asked for.
        groups: What may be grouped by.
    """
    asked = Asked()
    key_id = args.get("key")
    if key_id is not None and key_id != "all":
        if key_id and key_id not in keys:
            asked.faults.append("There is no such key of yours, so all are shown.")
        else:
            asked.key_id = key_id
    asked.model = args.get("model", "")[:_MAX_TEXT_LENGTH].replace("\x00", "") or None
    if (group := args.get("group", "model")) in groups:
        asked.group = group
    else:
        asked.faults.append(f"Usage can be grouped by {_listed(groups)} or not at all.")
    if asked.group == "endpoint" and (asked.key_id is not None or asked.model):
        asked.group = "model"
        asked.faults.append("By endpoint, usage is known of all keys and models together.")
    _read_outcome(asked, args.get("outcome", ""))
    asked.error = args.get("error", "").strip()[:_MAX_TEXT_LENGTH].replace("\x00", "")
    _read_cost(asked, args.get("min_cost", "").strip().removeprefix("$"))
    asked.search = args.get("q", "").strip()[:_MAX_TEXT_LENGTH].replace("\x00", "")
    wanted = args.get("range") or default_range
    if wanted is not None:
        _read_period(asked, wanted, args, now, zone)
    return asked


def _listed(groups: Collection[str]) -> str:
    return ", ".join(name for name in groups if name != "none")


def _read_outcome(asked: Asked, text: str) -> None:
    try:
        asked.outcome = Ending(text) if text else None
    except ValueError:
        asked.faults.append("A call is done, cancelled, failed or running.")


def _read_cost(asked: Asked, text: str) -> None:
    if not text:
        return
    try:
        _balance(text)
    except (ValueError, InvalidRequestError):
        asked.faults.append("The least cost is an amount of dollars, such as 0.05.")
    else:
        asked.min_cost = text


def _balance(text: str) -> Credits:
    dollars = Credits.parse(text)
    if dollars < ZERO:
        raise ValueError("negative")
    return Credits(min(dollars.microcredits * 100, 2**62))


def _read_period(
    asked: Asked, wanted: str, args: Mapping[str, str], now: datetime, zone: tzinfo
) -> None:
    asked.range = wanted
    match wanted:
        case "24h":
            asked.period = last_24_hours(now, zone)
        case "7d" | "30d":
            asked.period = last_days(int(wanted[:-1]), now, zone)
        case "month":
            asked.period = this_month(now, zone)
        case "custom":
            try:
                first = date.fromisoformat(args.get("from", ""))
                last = date.fromisoformat(args.get("to", "") or f"{now.astimezone(zone).date()}")
                asked.period = days("custom", first, last, zone)
            except (ValueError, OverflowError):
                asked.faults.append(
                    f"Choose a first and a last day, at most {MAX_DAYS} days in all."
                )
        case "hour":
            try:
                at = datetime.fromisoformat(args.get("at", ""))
                asked.period = one_hour(at if at.tzinfo else at.replace(tzinfo=UTC), zone)
            except (ValueError, OverflowError, TypeError):
                asked.faults.append("An hour is named by its beginning in UTC: 2026-11-29T14:00Z.")
        case _:
            asked.faults.append("There is no such period.")
    if asked.period is None:
        asked.range = _DEFAULT_RANGE
        asked.period = last_days(7, now, zone)
