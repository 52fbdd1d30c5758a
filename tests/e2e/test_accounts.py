"""What becomes of a person who is blocked under a running gateway."""

from __future__ import annotations

from tests.visitors import Visitor


def test_a_blocked_person_is_out_at_once(member: Visitor) -> None:
    person = member.person
    with member.stack.store.begin() as tx:
        tx._session.change("UPDATE profiles SET blocked = ? WHERE id = ?", (True, person.id))
        tx.commit()

    refused = member.get("/dashboard")
    again = member.sign_in()

    assert refused.headers["location"].startswith("/sign-in")
    assert again.status_code == 401
