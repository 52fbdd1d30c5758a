"""What a real LiteLLM lists of a deployment whose operator has written its ``base_model``."""

from __future__ import annotations

from pathlib import Path

import requests

from adapters.litellm.prices import read_catalogue
from creditcore.domain.pricing import ImageCount
from tests.peers.conftest import MASTER_KEY, running_proxy

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
    }
