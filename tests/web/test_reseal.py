"""The operator changes AUTH_SECRET, seals anew what it sealed, and then drops the old one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from adapters.vault import AesVault
from creditcore.testing.contracts.cards import CARD
from creditcore.testing.memory import MemoryTransactions
from tests.web.site import ENVIRON, Site


def test_after_a_change_of_the_secret_saved_cards_are_sealed_anew(tmp_path: Path) -> None:
    old = ENVIRON["AUTH_SECRET"]
    new = "another-secret-0123456789-abcdefghij"
    store = MemoryTransactions()
    site = Site(store, tmp_path, AUTH_SECRET=new, AUTH_SECRET_PREVIOUS=old)
    run = site.app.test_cli_runner().invoke
    with store.begin() as tx:
        for name, secret in (("card-1", old), ("card-2", "a secret that is lost")):
            card = replace(CARD, id=name, owner_id=name)
            sealed = AesVault(secret).seal(b"AUTH_code", context=card.seal_context)
            tx.cards.save(card.resealed(sealed))
        tx.commit()

    told = run(args=["doctor"]).output
    resealed = run(args=["reseal", "--json"])
    in_words = run(args=["reseal"])

    [line] = [line for line in told.splitlines() if "secrets at rest" in line]
    assert line.startswith("FAIL")
    assert "1 saved card under AUTH_SECRET_PREVIOUS; run 'flask --app wsgi reseal'" in line
    assert "1 saved card cannot be read with either secret" in line
    assert resealed.exit_code == in_words.exit_code == 1
    assert json.loads(resealed.stdout) == {
        "clean": False,
        "saved_cards": {"under_auth_secret": 1, "unreadable": 1},
        "second_factors": {"under_auth_secret": 0, "unreadable": 0},
    }
    assert "saved cards: 1 under AUTH_SECRET, 1 cannot be read" in in_words.stdout
    with store.begin() as tx:
        card = tx.cards.find("card-1", owner_id="card-1")
    assert AesVault(new).open(card.sealed, context=card.seal_context) == b"AUTH_code"

    with store.begin() as tx:
        tx.cards.save(replace(CARD, id="card-2", owner_id="card-2").forget())
        tx.commit()
    assert "ok    secrets at rest (1 under AUTH_SECRET)" in run(args=["doctor"]).output
    clean = run(args=["reseal"])
    assert clean.exit_code == 0
    assert "Nothing needs AUTH_SECRET_PREVIOUS any more." in clean.stdout
