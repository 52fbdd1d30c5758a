"""The activity log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from creditcore.domain.activity import COMMAND_LINE, Act, Activity, Actor
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON


class ActivityContract:
    """Who did what to what."""

    def test_an_act_comes_back_as_it_was_written(self, transactions: Transactions) -> None:
        activity = Activity(
            actor=Actor.at("p-1", address="2001:db8::1", user_agent="Browser \0 \ud83d"),
            act=Act.KEY_ISSUED,
            target="key:k-1",
            person_id="p-1",
            before={},
            after={"name": "Amína's laptop", "limit": None, "rows": [1, 2]},
            at=NOON,
        )

        _write(transactions, activity)

        [found] = _read(transactions)
        assert replace(found, number=0) == activity
        assert found.actor.user_agent == "Browser \\x00 \\ud83d"

    def test_an_act_is_forgotten_with_its_transaction(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.activity.add(_act(0))

        assert _read(transactions) == []

    def test_acts_are_read_page_by_page(self, transactions: Transactions) -> None:
        for number in range(7):
            _write(transactions, _act(number))

        pages: list[list[str]] = []
        before = None
        while page := _read(transactions, limit=3, before=before):
            pages.append([activity.target for activity in page])
            before = page[-1].number

        assert pages == [["o:6", "o:5", "o:4"], ["o:3", "o:2", "o:1"], ["o:0"]]

    def test_acts_of_a_person_are_read_alone(self, transactions: Transactions) -> None:
        for number in range(6):
            _write(transactions, replace(_act(number), person_id=f"p-{number % 2}"))

        page = _read(transactions, limit=2, person_id="p-1")
        rest = _read(transactions, limit=2, person_id="p-1", before=page[-1].number)

        assert [activity.target for activity in (*page, *rest)] == ["o:5", "o:3", "o:1"]
        assert _read(transactions, person_id="p-9") == []

    def test_acts_of_some_kinds_are_read_alone(self, transactions: Transactions) -> None:
        kinds = (Act.SIGNED_IN, Act.KEY_ISSUED, Act.SIGN_IN_FAILED)
        for number in range(6):
            _write(transactions, replace(_act(number), act=kinds[number % 3]))

        found = _read(transactions, acts={Act.SIGNED_IN, Act.SIGN_IN_FAILED}, before=6)

        assert [activity.target for activity in found] == ["o:3", "o:2", "o:0"]


def _act(number: int) -> Activity:
    return Activity(
        actor=COMMAND_LINE, act=Act.CREDITS_GRANTED, target=f"o:{number}", at=NOON - number * MINUTE
    )


def _write(transactions: Transactions, activity: Activity) -> None:
    with transactions.begin() as tx:
        tx.activity.add(activity)
        tx.commit()


def _read(
    transactions: Transactions,
    *,
    limit: int = 10,
    before: int | None = None,
    person_id: str | None = None,
    acts: Collection[str] = (),
) -> list[Activity]:
    with transactions.begin() as tx:
        return list(tx.activity.recent(limit=limit, before=before, person_id=person_id, acts=acts))
