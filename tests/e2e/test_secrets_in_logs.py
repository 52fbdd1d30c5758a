"""What a gateway writes down holds nothing that lets somebody in."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from creditcore import KeySecret
from tests.e2e.test_mailed_links import NEW_PASSWORD, click, joined, recovery_link
from tests.second_factor import set_up_second_factor
from tests.stack import running_stack, secrets_in
from tests.visitors import PASSWORD, Visitor


def test_the_log_holds_no_password_token_code_or_cookie(tmp_path: Path) -> None:
    log = tmp_path / "log"
    chatty = {"LOG_LEVEL": "debug", "LOG_FORMAT": "json"}
    with (
        running_stack(
            "", tmp_path, log=log, CONFIRM_ADDRESSES="yes", USD_TO_KES_RATE="129.5", **chatty
        ) as stack,
        Visitor(stack) as visitor,
    ):
        joined(visitor)
        secret, codes = set_up_second_factor(visitor)
        cookie = visitor.http.cookies["creditcore_session"]
        link = recovery_link(visitor)
        token = parse_qs(urlsplit(link).query)["token_hash"][0]
        with Visitor(stack) as other:
            other.email = visitor.email
            other.sign_in("a wrong password 123")
            click(other, link)
            other.post("/sign-in/recovery-code", {"code": codes[0]})
            other.post("/new-password", {"password": NEW_PASSWORD})
            assert other.is_signed_in
            # A phone that wants a code, and asks for it again after a wrong one.
            order = {"amount_kes": 650, "phone": "0710000013"}
            asked = other.post_json("/api/checkout/mpesa", order).json()
            path = f"/api/checkout/{asked['reference']}"
            assert other.post_json(f"{path}/answer", {"otp": "K7Q2Z9"}).json()["asks_for"] == "otp"

    written = log.read_text()
    secrets = [PASSWORD, NEW_PASSWORD, "a wrong password", "K7Q2Z9", secret, *codes, cookie]
    assert {"time", "level", "message"} <= json.loads(written.splitlines()[0]).keys()
    # No line for each request: addresses of mails open accounts.
    assert '"logger": "gunicorn.access"' not in written
    assert [one for one in (*secrets, token, token.partition(".")[2]) if one in written] == []


def test_every_log_is_searched_for_what_opens_something() -> None:
    key = KeySecret.generate(lambda alphabet: alphabet[7]).text
    said = f"warning: {key} cannot pay, master key sk-sandbox-master; x-request-id call-1"

    assert secrets_in(said, {"LITELLM_MASTER_KEY": "sk-sandbox-master"}) == [
        key,
        "sk-sandbox-master",
    ]
    assert secrets_in("x-request-id call-1, key sk-cc-abcd...", {}) == []
