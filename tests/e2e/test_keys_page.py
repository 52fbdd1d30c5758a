"""The keys page: limits, pause, rotation, as a person uses them."""

from __future__ import annotations

import re
import uuid

from creditcore import Credits
from tests.visitors import Visitor
from tests.web.test_keys_page import LIMITED, keys_of, make

SECRET = re.compile(r"sk-cc-[0-9A-Za-z]{38}")


def test_a_paused_key_opens_nothing_until_it_is_resumed(member: Visitor) -> None:
    secret = make(member)
    [key] = keys_of(member)

    member.post(f"/dashboard/keys/{key.id}/pause", {})
    paused = member.stack.chat("hi", key=secret).status_code
    badge = "Paused" in member.get("/dashboard/keys").text
    member.post(f"/dashboard/keys/{key.id}/resume", {})

    assert (paused, badge) == (401, True)
    assert member.stack.chat("hi", key=secret).status_code == 200


def test_a_key_is_rotated_and_the_new_secret_shown_once(member: Visitor) -> None:
    old = make(member)
    [key] = keys_of(member)

    answer = member.post(f"/dashboard/keys/{key.id}/rotate", {"overlap_hours": "24"})

    new = SECRET.search(answer.text)
    assert new
    assert [member.stack.chat("hi", key=secret).status_code for secret in (old, new[0])] == [
        200,
        200,
    ]
    assert new[0] not in member.get("/dashboard/keys").text


def test_the_guide_ticks_itself_off_and_hands_the_key_to_each_client(member: Visitor) -> None:
    begun = member.get("/dashboard").text
    made = member.post("/dashboard/keys", {"key_id": str(uuid.uuid4()), "name": "First key"}).text
    secret = SECRET.search(made)
    assert secret
    with_key = member.get("/dashboard").text
    assert member.stack.chat("hi", key=secret[0]).status_code == 200
    called = member.get("/dashboard").text
    [key] = keys_of(member)
    member.post(f"/dashboard/keys/{key.id}", {**LIMITED})

    assert [re.findall(r"(\d) of 4 done", page) for page in (begun, made, with_key, called)] == [
        ["1"],
        ["2"],
        ["2"],
        ["3"],
    ]
    assert "Make my first key" in begun
    assert "Your first hour" not in member.get("/dashboard").text
    blocks = re.findall(r'<code id="setup-[\w-]+">(.*?)</code>', made, re.DOTALL)
    assert len(blocks) == 9
    assert all(secret[0] in block for block in blocks)
    assert 'href="cherrystudio://' in made
    assert made.count('href="ccswitch://') == 2
    assert secret[0] not in with_key


def test_a_stop_is_tried_on_the_past_saved_and_taken_away(member: Visitor) -> None:
    secret = make(member)
    [key] = keys_of(member)
    address = f"/dashboard/keys/{key.id}"
    assert member.stack.chat("hi", key=secret).status_code == 200
    member.stack.settled_wallet_of(member.person.id)

    tried = member.post(f"{address}/stop", {"stop": "0.0000001", "do": "try"}, allow_redirects=True)
    calm = member.get(f"{address}?stop=5")
    wrong = member.post(f"{address}/stop", {"stop": "much", "do": "save"})

    assert "it would have paused this key once" in tried.text
    assert "it would never have paused this key" in calm.text
    assert (wrong.status_code, keys_of(member)[0].stop) == (400, None)
    assert "Write dollars" in wrong.text
    member.post(f"{address}/stop", {"stop": "5", "do": "save"})
    [stopped] = keys_of(member)
    assert stopped.stop is not None
    assert stopped.stop.per_hour == Credits.of(500)
    hook = "https://example.com/hook"
    told = member.post(f"{address}/stop", {"stop": "5", "webhook": hook, "do": "save"})
    refused = member.post(f"{address}/stop", {"stop": "5", "webhook": "here", "do": "save"})
    [stopped] = keys_of(member)
    assert stopped.stop is not None
    assert (stopped.stop.webhook, told.status_code, refused.status_code) == (hook, 302, 400)
    assert "A webhook is an address" in refused.text
    assert "whsec_" in member.get(address).text
    member.post(f"{address}/stop", {"stop": "", "do": "save"})
    assert keys_of(member)[0].stop is None
