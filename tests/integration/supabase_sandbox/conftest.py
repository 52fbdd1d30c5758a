"""A project without people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.integration.supabase_sandbox.project import SITE, SupabaseProject


@pytest.fixture
def project(sandbox: SandboxProcess) -> Iterator[SupabaseProject]:
    with requests.Session() as http:
        project = SupabaseProject(sandbox, http)
        project.reset()
        project.set(site_url=SITE, mail_window_s=0)
        yield project
