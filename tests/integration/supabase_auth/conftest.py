"""A project of the stand-in, without people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.integration.supabase_auth.house import SupabaseHouse, a_house
from tests.integration.supabase_sandbox.project import SITE, SupabaseProject


@pytest.fixture
def project(sandbox: SandboxProcess) -> Iterator[SupabaseProject]:
    with requests.Session() as http:
        project = SupabaseProject(sandbox, http)
        project.reset()
        project.set(site_url=SITE, mail_window_s=0)
        yield project


@pytest.fixture
def house(project: SupabaseProject) -> SupabaseHouse:
    return a_house(project)
