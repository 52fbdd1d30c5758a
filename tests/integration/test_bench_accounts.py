"""The accounts of a benchmark are what it says they are."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from adapters.litellm.admin import AdminClient
from adapters.litellm.keys import LiteLLMKeys
from adapters.pony_store import open_store
from bench.accounts import make_accounts
from creditcore import KeySecret, SystemClock
from creditcore.usecases.keys.recognise_key import RecogniseKey
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring
from tests.stores import migrated_sqlite_file

PEPPER = b"of a benchmark"


@pytest.mark.parametrize("has_copies", [True, False])
def test_keys_with_copies_call_with_them(tmp_path: Path, has_copies: bool) -> None:
    url = migrated_sqlite_file(tmp_path / "credits.db")
    secrets = make_accounts(url, pepper=PEPPER, count=3, has_copies=has_copies)

    with closing(open_store(url)) as store:
        clock = SystemClock()
        recognise = RecogniseKey(transactions=store, clock=clock, pepper=PEPPER)
        ids = [recognise.recognise(KeySecret.parse(secret)).id for secret in secrets]
        admin = AdminClient(base_url="http://127.0.0.1:9", master_key="sk-master")
        upstream = LiteLLMKeys(admin=admin, auth_secret=PEPPER)
        keyring = UpstreamKeyring(transactions=store, clock=clock, upstream=upstream)
        assert [keyring.secret_for(key_id) for key_id in ids] == [None] * 3
        keyring.refresh()

        found = [keyring.secret_for(key_id) for key_id in ids]

    assert found == [upstream.secret(key_id) if has_copies else None for key_id in ids]
