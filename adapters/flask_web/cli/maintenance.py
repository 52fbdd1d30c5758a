"""What has to be done now and then, whoever does it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Self

from adapters.flask_web.services import Services
from creditcore.domain.errors import CreditcoreError

_RECOVER_EVERY_S = 10.0
_MIRRORS_EVERY_S = 5.0
_FUNDS_EVERY_S = 60.0
_EXPIRE_EVERY_S = 10.0
_PRICES_EVERY_S = 60.0
_FIRST_PRICES_EVERY_S = 10.0
_PAYMENTS_EVERY_S = 60.0
_BALANCES_EVERY_S = 15.0
_RATES_EVERY_S = 300.0
_FORGET_EVERY_S = 600.0
_WEBHOOKS_EVERY_S = 10.0
_ROLL_UP_EVERY_S = 30.0
_LOOK_BACK_EVERY_S = 600.0
_JOBS_EVERY_S = 1.0
_SCHEDULE_EVERY_S = 10.0
_FORGET_EVERY_S = 3600.0
_LAST_CHORE_S = 10.0

_log = logging.getLogger(__name__)


class Maintenance:
    """Runs chores, each at its own pace. Every chore may run anywhere, any number of times."""

    def __init__(self, chores: Mapping[str, tuple[float, Callable[[], int]]]) -> None:
        self._chores = chores

    @classmethod
    def of_gateway(cls, services: Services) -> Self:
        """Return what each gateway does: what only its own host sees, and its first price list."""
        return cls(
            {
                "settlements recovered": (_RECOVER_EVERY_S, services.recovery.recover),
                "copies of keys in use": (_MIRRORS_EVERY_S, services.keyring.refresh),
                "first prices": (_FIRST_PRICES_EVERY_S, services.prices.refresh_if_empty),
            }
        )

    @classmethod
    def of_worker(cls, services: Services) -> Self:
        """Return everything, a worker's own host included."""
        jobs = {
            f"{kind} jobs done": (_JOBS_EVERY_S, partial(services.runner.run_due, kind))
            for kind in services.runner.handlers
        }
        return cls(
            {
                "settlements recovered": (_RECOVER_EVERY_S, services.recovery.recover),
                "copies of keys in use": (_MIRRORS_EVERY_S, services.keyring.refresh),
                "mirrors to look at": (_FUNDS_EVERY_S, services.mirrors.look_again),
                "keys mirrored": (_MIRRORS_EVERY_S, services.mirrors.sync_due),
                "jobs scheduled": (_SCHEDULE_EVERY_S, services.runner.enqueue_recurring),
                **jobs,
                "sessions forgotten": (_FORGET_EVERY_S, services.sessions.forget_old),
                "jobs forgotten": (_FORGET_EVERY_S, services.runner.forget_closed),
                "expired holds": (_EXPIRE_EVERY_S, services.charge.expire),
                "models priced": (_PRICES_EVERY_S, services.prices.refresh),
                "webhooks worked off": (_WEBHOOKS_EVERY_S, services.inbox.process_due),
                "payments decided": (_PAYMENTS_EVERY_S, services.poller.confirm_pending),
                "documents issued": (_WEBHOOKS_EVERY_S, services.documents.issue_due),
                "refunds followed": (_PAYMENTS_EVERY_S, services.refund_follower.chase),
                "low balances told of": (_BALANCES_EVERY_S, services.balances.look),
                "currencies without a rate": (_RATES_EVERY_S, services.rates.check),
                "payments' details forgotten": (_FORGET_EVERY_S, services.forget.forget),
                "answers forgotten": (_PAYMENTS_EVERY_S, services.repeats.forget_old),
                "calls rolled up": (_ROLL_UP_EVERY_S, services.usage.roll_up),
                "hours mended": (_LOOK_BACK_EVERY_S, services.usage.mend),
                "refused calls forgotten": (_LOOK_BACK_EVERY_S, services.refusals.tidy),
            }
        )

    def run_once(self) -> dict[str, int]:
        """Do every chore now; return what each counted, 0 where it could not be done."""
        return {name: self._do(name, chore) for name, (_, chore) in self._chores.items()}

    def run_until(self, stop: threading.Event) -> None:
        """Do each chore again and again, until told to stop.

        None waits for another: a payment provider that hangs must not keep holds open. One
        that hangs when it is time to stop is left behind; all may be cut short anywhere.
        """
        workers = [
            threading.Thread(target=self._repeat, args=(name, stop), name=name, daemon=True)
            for name in self._chores
        ]
        for worker in workers:
            worker.start()
        stop.wait()
        deadline = time.monotonic() + _LAST_CHORE_S
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def _repeat(self, name: str, stop: threading.Event) -> None:
        every_s, chore = self._chores[name]
        while not stop.is_set():
            self._do(name, chore)
            stop.wait(every_s)

    @staticmethod
    def _do(name: str, chore: Callable[[], int]) -> int:
        """Do one chore. Its failure is logged, and harms neither the others nor its next time."""
        try:
            count = chore()
        except CreditcoreError as error:
            _log.warning("%s: %s", name, error)
            return 0
        except Exception:  # noqa: BLE001 - a bug in one chore must not stop the others
            _log.exception("%s failed", name)
            return 0
        if count:
            _log.info("%s: %d", name, count)
        return count
