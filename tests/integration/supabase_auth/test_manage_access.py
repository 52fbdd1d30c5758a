"""What operators do to people of a project holds there too, and here at once."""

from __future__ import annotations

import pytest

from creditcore.domain.errors import SessionEndedError
from creditcore.domain.sessions import Device
from creditcore.system import SystemClock, SystemIds
from creditcore.testing.contracts.identity_house import PASSWORD, an_email, join, signed_in
from creditcore.testing.memory import MemoryTransactions
from creditcore.testing.memory_identity import MemoryVault
from creditcore.usecases.people.keep_sessions import KeepSessions
from creditcore.usecases.people.manage_access import ManageAccess
from creditcore.usecases.people.session_grants import SessionGrants
from creditcore.usecases.people.welcome_person import WelcomePerson
from tests.integration.supabase_auth.house import SupabaseHouse


def test_who_is_signed_out_everywhere_is_out_at_the_server_too(house: SupabaseHouse) -> None:
    store, clock, ids = MemoryTransactions(), SystemClock(), SystemIds()
    sessions = KeepSessions(
        transactions=store,
        clock=clock,
        ids=ids,
        provider=house.provider,
        grants=SessionGrants(
            transactions=store, clock=clock, vault=MemoryVault(), provider=house.provider
        ),
    )
    access = ManageAccess(
        transactions=store, clock=clock, operators=house.operators, sessions=sessions
    )
    email = an_email()
    here = join(house, email)
    elsewhere = signed_in(house.provider.sign_in(email, PASSWORD))
    person = WelcomePerson(transactions=store, clock=clock, ids=ids).welcome(here.identity)
    begun = [sessions.begin(person, outcome, device=Device()) for outcome in (here, elsewhere)]

    assert access.sign_out(person.id) == 2

    assert [sessions.resume(each.secret) for each in begun] == [None, None]
    for outcome in (here, elsewhere):
        with pytest.raises(SessionEndedError):
            house.provider.check(outcome.grant)
