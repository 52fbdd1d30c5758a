"""Images, speech and transcripts through a real LiteLLM proxy, by the prices of its own list."""

from __future__ import annotations

import io
import wave

import openai
import pytest

from creditcore import Credits
from tests.stack import Account, Stack

# Microcredits for one of each, where 100 credits are a dollar.
IMAGE_TOKEN, TEXT_TOKEN = 4_000, 500
CHARACTER = 1_500
MILLISECOND = 10
AUDIO_TOKEN, ASKED_TOKEN, WRITTEN_TOKEN = 250, 250, 1_000


def three_seconds() -> tuple[str, bytes]:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(48_000))
    return "said.wav", written.getvalue()


def test_images_cost_their_tokens(client: openai.OpenAI) -> None:
    raw = client.images.with_raw_response.generate(
        model="real-image", prompt="a cat on a mat", quality="low", n=2
    )

    cost = Credits(2 * 272 * IMAGE_TOKEN + 5 * TEXT_TOKEN)
    assert raw.headers["x-credits-cost"] == str(cost)


def test_speech_costs_its_characters(client: openai.OpenAI) -> None:
    raw = client.audio.speech.with_raw_response.create(
        model="real-voice", voice="alloy", input="Habari yako? \N{GRINNING FACE}"
    )

    assert raw.headers["content-type"] == "audio/mpeg"
    assert raw.headers["x-credits-cost"] == str(Credits(14 * CHARACTER))


@pytest.mark.parametrize("asked", ["json", "text", "srt", "verbose_json"])
def test_a_transcript_by_the_second_costs_its_length(client: openai.OpenAI, asked: str) -> None:
    raw = client.audio.transcriptions.with_raw_response.create(
        model="real-seconds",
        file=three_seconds(),
        response_format=asked,  # type: ignore[call-overload]
    )

    assert raw.headers["x-credits-cost"] == str(Credits(3_000 * MILLISECOND))


def test_a_transcript_by_tokens_costs_each_kind_at_its_price(client: openai.OpenAI) -> None:
    raw = client.audio.transcriptions.with_raw_response.create(
        model="real-sound",
        file=three_seconds(),
        prompt="[[sim tokens=7]]",
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
    )

    cost = Credits(30 * AUDIO_TOKEN + 2 * ASKED_TOKEN + 7 * WRITTEN_TOKEN)
    assert raw.headers["x-credits-cost"] == str(cost)


def test_what_has_no_price_is_not_offered(stack: Stack, account: Account) -> None:
    answer = stack.post(
        "/v1/audio/speech",
        {"model": "unpriced-voice", "voice": "alloy", "input": "hi"},
        key=account.api_key,
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
