"""LiteLLM's admin side fails, hangs, forgets: no caller sees it, and copies mend by themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from creditcore import HoldState
from creditcore.domain.mirrors import KeyMirror, SyncStatus
from tests.stack import PATIENCE_S, Account, Stack, running_stack, wait_until

LONG_S = 3 * PATIENCE_S
"""An attempt may hang, and the next ones wait longer after each failure."""

# At any moment some are under way.
STREAM = "[[sim tokens=12 delay_ms=25]]"


@dataclass
class Caller:
    """Makes one call after the other, plain and streamed in turn, and counts what became of them.

    Attributes:
        failures: Everything that was not a whole answer.
    """

    stack: Stack
    account: Account
    stopped: threading.Event
    made: int = 0
    failures: list[str] = field(default_factory=list)

    def call_on(self) -> None:
        while not self.stopped.is_set():
            is_stream = self.made % 2 == 0
            try:
                answer = self.stack.chat(STREAM, key=self.account.api_key, stream=is_stream)
                said = answer.text
            except requests.RequestException as error:
                self.failures.append(repr(error))
            else:
                whole = said.rstrip().endswith("data: [DONE]") if is_stream else '"usage"' in said
                if answer.status_code != 200 or not whole:
                    self.failures.append(f"{answer.status_code} {said[-300:]}")
            self.made += 1


@dataclass
class House:
    """A gateway, LiteLLM's admin side, and people who never stop to call."""

    stack: Stack
    callers: list[Caller]
    others: list[Account] = field(default_factory=list)

    def order(self, **order: object) -> list[dict[str, Any]]:
        """Switch faults of the admin side; return the copies that it has."""
        answer = requests.post(
            f"{self.stack.sandbox.base_url}/control/litellm/keys", json=order, timeout=PATIENCE_S
        )
        rows: list[dict[str, Any]] = answer.json()["keys"]
        return rows

    def mirrors(self) -> list[KeyMirror]:
        with self.stack.store.begin() as tx:
            return tx.mirrors.after("", limit=1000)

    def wait_for_calls(self) -> None:
        """Let each caller begin and end some calls from here on."""
        enough = [caller.made + 4 for caller in self.callers]
        wait_until(
            lambda: all(
                caller.made >= least for caller, least in zip(self.callers, enough, strict=True)
            )
        )

    def wait_until_in_line(self) -> None:
        """Wait until each key has its copy there, and those that call are called with."""

        def are_in_line() -> bool:
            mirrors, copies = self.mirrors(), self.order()
            names = {row["token"] for row in copies}
            return bool(mirrors) and all(
                mirror.status is SyncStatus.SYNCED and mirror.litellm_key_id in names
                for mirror in mirrors
            )

        wait_until(are_in_line, timeout_s=LONG_S)
        spent = self.spent()
        # What a copy has spent grows with each call that goes out with it.
        wait_until(
            lambda: all(self.spent()[name] > before for name, before in spent.items()),
            timeout_s=LONG_S,
        )

    def has_tried(self) -> bool:
        """Whether a copy is being made, or could not be."""
        return any(mirror.lease.attempts for mirror in self.mirrors())

    def was_refused(self) -> bool:
        """Whether the server has said that it can keep no key: then none is tried."""
        return "keys mirrored: " in self.stack.log.read_text(errors="replace")

    def call_with_others(self) -> None:
        for account in self.others:
            self.stack.chat("[[sim tokens=1]]", key=account.api_key).raise_for_status()

    def spent(self) -> dict[str, float]:
        with self.stack.store.begin() as tx:
            keys = [
                key.id
                for caller in self.callers
                for key in tx.keys.of_wallet(caller.account.wallet_id)
            ]
            names = {mirror.litellm_key_id for mirror in tx.mirrors.find(keys).values()}
        return {row["token"]: row["spend"] for row in self.order() if row["token"] in names}


@contextmanager
def calling(stack: Stack, count: int) -> Iterator[list[Caller]]:
    stopped = threading.Event()
    callers = [Caller(stack, stack.an_account(credits_="100000"), stopped) for _ in range(count)]
    threads = [threading.Thread(target=caller.call_on) for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield callers
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_stack("", tmp_path_factory.mktemp("mirrors"), LITELLM_KEYS="mirror") as stack:
        with calling(stack, 3) as callers:
            house = House(stack, callers)
            house.wait_until_in_line()
            yield house
        # Of every call that was made there is one hold, and it is settled.
        for caller in callers:
            assert caller.failures == []
            assert stack.settled_wallet_of(caller.account.person_id).posted
            states = [hold.state for hold in stack.calls_of(caller.account)]
            assert states == [HoldState.SETTLED] * min(caller.made, 1000)
        assert stack.audit().clean


@pytest.mark.parametrize("fault", ["database_down", "hangs", "stores_nothing"])
def test_a_fault_of_the_admin_side_is_seen_by_no_caller_and_mends_by_itself(
    house: House, fault: str
) -> None:
    house.order(**{fault: True})
    try:
        # A key that is new has no copy until it is over.
        house.others.append(house.stack.an_account())
        house.wait_for_calls()
        house.call_with_others()
        wait_until(house.was_refused if fault == "database_down" else house.has_tried)
    finally:
        house.order(**{fault: False})

    house.wait_until_in_line()

    assert [caller.failures for caller in house.callers] == [[], [], []]


def test_a_litellm_that_restarts_empty_gets_its_keys_again(house: House) -> None:
    house.wait_for_calls()
    assert house.order(forget=True) == []

    house.wait_for_calls()
    # A copy that is not called with is missed within a day, the others at once.
    house.call_with_others()
    house.wait_until_in_line()

    assert [caller.failures for caller in house.callers] == [[], [], []]
