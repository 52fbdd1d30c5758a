"""A project without people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.process import SandboxProcess
from tests.integration.supabase_sandbox.project import SupabaseProject, empty_project


@pytest.fixture
def project(sandbox: SandboxProcess) -> Iterator[SupabaseProject]:
    with empty_project(sandbox) as project:
        yield project
