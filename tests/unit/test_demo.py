"""What ``make run`` tells its gateway, before anything is started."""

from __future__ import annotations

from pathlib import Path

from adapters.flask_web.settings import Settings
from creditcore.domain.identities import Method
from sandbox import demo


def settings_of(folder: Path, **given: str) -> Settings:
    told = demo._configured({"DATA_DIR": str(folder), **given}).settings
    # Its port is known once the sandbox has started.
    told["MAIL_URL"] = "smtp://127.0.0.1:8002"
    return Settings.from_env({name: value for name, value in told.items() if value})


def test_it_stays_with_accounts_of_its_own(tmp_path: Path) -> None:
    found = settings_of(tmp_path, SUPABASE_URL="https://real.supabase.co", SUPABASE_ANON_KEY="real")

    assert (found.supabase_url, found.supabase_anon_key) == ("", "")
    assert found.sign_in_methods == frozenset()


def test_it_shows_all_of_supabase_where_that_is_asked_for(tmp_path: Path) -> None:
    found = settings_of(tmp_path, SUPABASE="1", SUPABASE_URL="https://real.supabase.co")

    assert found.supabase_url == "http://localhost:8001/supabase"
    assert found.sign_in_methods == {Method.GOOGLE, Method.GITHUB}
    assert found.supabase_linking
