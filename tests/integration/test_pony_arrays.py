"""Arrays that are written as text are what PostgreSQL reads."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import psycopg2

from adapters.pony_store import PonyTransactions
from adapters.pony_store.committer.arrays import bytea_array, text_array
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore.domain.books import Footprint
from creditcore.domain.limits import KeyCounter, KeyLimits, SpendLimit
from creditcore.domain.money import Credits
from creditcore.testing.contracts import NOON, a_key, a_wallet, settle
from tests.integration.books import reserve
from tests.stores import WAIT_S

ODD = ['"', "\\", '\\"', "a,b", "{}", "NULL", " ", "'", "\n\t\x01", "%s?", '","', "é漢🙂", "''; --"]


def test_any_text_is_one_element(url: str) -> None:
    texts = [*ODD, "".join(ODD), ""]
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[], %s::text[]", (text_array(texts), text_array([])))
        assert cursor.fetchone() == (texts, [])


def test_any_bytes_are_one_element(url: str) -> None:
    blobs = [bytes(range(256)), b"", b'"\\,{}']
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s::bytea[], %s::bytea[]", (bytea_array(blobs), bytea_array([])))
        found, none = cursor.fetchone() or ()
        assert [bytes(blob) for blob in found] == blobs
        assert none == []


def test_a_wallet_and_a_call_may_be_called_anything(url: str, store: PonyTransactions) -> None:
    odd = "".join(ODD)
    wallet = a_wallet(store, wallet_id=odd, posted=100)
    limit = SpendLimit(credits=Credits(50))
    key = replace(
        a_key(wallet, key_id=odd, key_hash=bytes(range(32))), limits=KeyLimits(spend=limit)
    )
    with store.begin() as tx:
        tx.keys.add(key)
        tx.keys.set_counter(KeyCounter(id=odd, wallet_id=odd, since=NOON, limit=limit.credits))
        tx.commit()
    with closing(PostgresCommitter(url, wait_s=WAIT_S)) as committer:
        # The first is read, and so are its counters; the second is remembered and proved.
        for reference in (odd, f"{odd}2"):
            with committer.begin() as tx:
                books = tx.ledger.lock(
                    Footprint(key_hashes={key.key_hash}, new_references={reference})
                )
                hold = reserve(books, 10, reference=reference, wallet_id=odd, caller=key)
                tx.ledger.write(books)
                tx.commit()
            settle(committer, hold, 7)
    with store.begin() as tx:
        assert tx.ledger.find_wallet(odd).posted == Credits(86)
        assert tx.keys.counters({odd})[odd].spent == Credits(14)
