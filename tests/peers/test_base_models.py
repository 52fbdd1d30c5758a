"""What a real LiteLLM's deployment with a ``base_model`` is listed as, and held for."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
import requests

from adapters.litellm.prices import read_catalogue
from creditcore.domain.pricing import ImageCount
from tests.peers.conftest import MASTER_KEY, running_proxy
from tests.stack import running_stack
from tests.unit.wires.test_images import jpeg

CONFIG = """
model_list:
  - model_name: on-azure
    litellm_params: {{model: azure/ours, api_base: "{upstream}", api_key: unused}}
    model_info: {{base_model: azure/gpt-4o}}
  - model_name: by-profile
    litellm_params: {{model: "bedrock/arn:aws:bedrock:us-east-1:1:application-inference-profile/a"}}
    model_info: {{base_model: us.anthropic.claude-sonnet-4-5-20250929-v1:0}}
  - model_name: by-relay
    litellm_params: {{model: openai/best, api_base: "{upstream}", api_key: unused}}
    model_info: {{base_model: claude-sonnet-4-5}}
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_base: "{upstream}", api_key: unused}}
  - model_name: seeing
    litellm_params: {{model: openai/best, api_base: "{upstream}", api_key: unused,
                      mock_response: A tree.}}
    model_info: {{base_model: claude-sonnet-4-5}}
  - model_name: seeing-unknown
    litellm_params: {{model: openai/best, api_base: "{upstream}", api_key: unused,
                      mock_response: A tree.,
                      input_cost_per_token: 0.000003, output_cost_per_token: 0.000015}}
general_settings: {{master_key: {key}}}
"""


def test_its_prices_and_its_count_of_images_are_those_of_that_model(tmp_path: Path) -> None:
    key = {"authorization": f"Bearer {MASTER_KEY}"}
    with running_proxy("https://ours.example", tmp_path, config=CONFIG) as proxy:
        listed = requests.get(f"{proxy.base_url}/model/info", headers=key, timeout=60)

    ways = {
        price.model: {name for name in price.features if name.startswith("images_")}
        for price in read_catalogue(listed.content).prices
    }
    assert ways == {
        "on-azure": {ImageCount.IN_TILES},
        "by-profile": {ImageCount.CLAUDE_3},
        "by-relay": {ImageCount.CLAUDE_3},
        "gpt-4o": set(),
        "seeing": {ImageCount.CLAUDE_3},
        "seeing-unknown": set(),
    }


@pytest.mark.parametrize(("model", "status"), [("seeing", 200), ("seeing-unknown", 402)])
def test_a_cent_pays_for_a_photo_where_it_is_known_how_it_is_counted(
    tmp_path: Path, model: str, status: int
) -> None:
    photo = b64encode(jpeg(3024, 4032)).decode()
    image_url = {"url": f"data:image/jpeg;base64,{photo}"}
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": image_url},
    ]
    body = {"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": content}]}
    with (
        running_proxy("https://ours.example", tmp_path, config=CONFIG) as proxy,
        running_stack(
            "",
            tmp_path,
            LITELLM_BASE_URL=proxy.base_url,
            LITELLM_MASTER_KEY=MASTER_KEY,
            CREDITS_PER_USD="1",
        ) as stack,
    ):
        account = stack.an_account(credits_="1")
        answer = stack.post("/v1/chat/completions", body, key=account.api_key)

    assert answer.status_code == status, answer.text
