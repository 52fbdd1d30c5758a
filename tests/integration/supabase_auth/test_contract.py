"""Supabase Auth keeps the contract of identity, against the stand-in over real HTTP."""

from __future__ import annotations

import pytest

from creditcore.testing import contracts
from sandbox.supabase.api import legacy_key
from tests.integration.supabase_auth.house import SupabaseHouse, a_house, a_provider, an_operator
from tests.integration.supabase_sandbox.project import SupabaseProject


class TestSupabaseIdentity(contracts.IdentityContract):
    pass


class TestSupabaseIdentityOfAnHs256Project(contracts.IdentityContract):
    @pytest.fixture
    def house(self, project: SupabaseProject) -> SupabaseHouse:
        project.control("POST", "/keys", signing="HS256")
        return a_house(project)


class TestSupabaseIdentityThatConfirmsAtOnce(contracts.IdentityContract):
    @pytest.fixture
    def house(self, project: SupabaseProject) -> SupabaseHouse:
        project.set(autoconfirm=True)
        return a_house(project)


class TestSupabaseIdentityWithOlderKeys(contracts.IdentityContract):
    @pytest.fixture
    def house(self, project: SupabaseProject) -> SupabaseHouse:
        return SupabaseHouse(
            project,
            a_provider(project, legacy_key("anon")),
            an_operator(project, legacy_key("service_role")),
        )
