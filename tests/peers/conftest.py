"""The gateway in front of a real LiteLLM proxy, with the sandbox as the provider behind it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest
import requests

from sandbox.process import SandboxProcess
from tests.stack import Account, Stack, reserved_port, running_stack, wait_until

MASTER_KEY = "sk-local-master"
LITELLM = os.environ.get("LITELLM_COMMAND") or ".venv-litellm/bin/litellm"

CONFIG = """
model_list:
  - model_name: real-chat
    litellm_params: {{model: openai/demo-chat, api_base: "{upstream}/litellm/v1",
                      api_key: sk-sandbox-master,
                      input_cost_per_token: 0.0000011, output_cost_per_token: 0.0000044}}
    model_info: {{max_input_tokens: 128000, max_output_tokens: 16384}}
  - {{model_name: real-claude, litellm_params: {{model: azure_ai/claude-sonnet-4-5,
      api_base: "{upstream}/litellm", api_key: sk-sandbox-master}},
      model_info: {{input_cost_per_token: 0.000003, output_cost_per_token: 0.000015}}}}
  - model_name: mock-chat
    litellm_params: {{model: openai/gpt-4o-mini, api_key: unused,
                      mock_response: "hello from a mock"}}
  - model_name: real-embedding
    litellm_params: {{model: openai/demo-embedding, api_base: "{upstream}/litellm/v1",
                      api_key: sk-sandbox-master, input_cost_per_token: 0.00000013}}
    model_info: {{mode: embedding, max_input_tokens: 8192}}
  - {{model_name: real-image, litellm_params: {{model: openai/gpt-image-1,
      api_base: "{upstream}/litellm/v1", api_key: sk-sandbox-master}}}}
  - {{model_name: real-voice, litellm_params: {{model: openai/tts-1,
      api_base: "{upstream}/litellm/v1", api_key: sk-sandbox-master}}}}
  - {{model_name: real-seconds, litellm_params: {{model: openai/whisper-1,
      api_base: "{upstream}/litellm/v1", api_key: sk-sandbox-master}}}}
  - {{model_name: real-sound, litellm_params: {{model: openai/gpt-4o-transcribe,
      api_base: "{upstream}/litellm/v1", api_key: sk-sandbox-master}}}}
  - {{model_name: unpriced-voice, litellm_params: {{model: openai/gpt-4o-mini-tts,
      api_base: "{upstream}/litellm/v1", api_key: sk-sandbox-master}}}}
litellm_settings: {{include_cost_in_streaming_usage: true, num_retries: 0}}
# A failed call must not take its model away from the next one.
router_settings: {{disable_cooldowns: true}}
general_settings: {{master_key: {key}}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running LiteLLM proxy."""

    base_url: str

    def ask(self, path: str, body: dict[str, object]) -> requests.Response:
        """Call it directly, past the gateway."""
        return requests.post(
            f"{self.base_url}{path}",
            json=body,
            headers={"authorization": f"Bearer {MASTER_KEY}"},
            timeout=60,
        )


@contextmanager
def running_proxy(
    upstream: str, folder: Path, *, config: str = CONFIG, **environ: str
) -> Iterator[Proxy]:
    """Start a LiteLLM proxy without a database; stop it at the end.

    Args:
        upstream: The sandbox's address.
        folder: Where it may write; its modules are found there.
        config: Its configuration, which names the upstream and the master key.
        environ: Variables of its environment.
    """
    file = folder / "litellm.yaml"
    file.write_text(config.format(upstream=upstream, key=MASTER_KEY))
    with reserved_port() as port, (folder / "litellm.log").open("wb") as log:
        base_url = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(
            [LITELLM, "--config", str(file), "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", **environ},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: process.poll() is not None or answers(base_url), timeout_s=300)
            assert process.poll() is None, (folder / "litellm.log").read_text()
            yield Proxy(base_url)
        finally:
            process.terminate()
            process.wait(30)


def answers(base_url: str) -> bool:
    try:
        return requests.get(f"{base_url}/health/liveliness", timeout=2).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with (
        SandboxProcess.start() as upstream,
        running_proxy(upstream.base_url, tmp_path_factory.mktemp("litellm")) as proxy,
    ):
        yield proxy


@pytest.fixture(scope="session")
def stack(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        "",
        tmp_path_factory.mktemp("stack"),
        LITELLM_BASE_URL=proxy.base_url,
        LITELLM_MASTER_KEY=MASTER_KEY,
        CREDITS_PER_USD="1",
    ) as stack:
        yield stack


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.an_account(credits_="200")


@pytest.fixture
def client(stack: Stack, account: Account) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.base_url}/v1", api_key=account.api_key, max_retries=0)
