"""Images, speech, reranking and moderation through the unmodified OpenAI SDK: exact charges."""

from __future__ import annotations

import io
import wave
from typing import Any

import openai
import pytest
import requests

from creditcore import Basis, Credits
from tests.e2e.prices import FUNDED
from tests.stack import Account, Stack

# Credits are 200 per USD of cost: microcredits for one of each.
IMAGE = 8_000_000
CHARACTER = 3_000
IMAGE_TOKEN, TEXT_TOKEN = 8_000, 1_000
SEARCH = 400_000


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


def rerank(
    stack: Stack, account: Account, *, path: str = "/v1/rerank", **fields: object
) -> requests.Response:
    return requests.post(
        f"{stack.base_url}{path}",
        json={"model": "rerank-v3.5", "query": "what?", **fields},
        headers={"authorization": f"Bearer {account.api_key}"},
        timeout=30,
    )


def test_images_cost_their_price_each(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    raw = client.images.with_raw_response.generate(model="dall-e-3", prompt="a cat", n=2)

    assert len(raw.parse().data or []) == 2
    assert raw.headers["x-credits-cost"] == str(Credits(2 * IMAGE))
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - Credits(2 * IMAGE)
    [hold] = stack.calls_of(account)
    assert (hold.amount, hold.outcome.usage.units) == (Credits(2 * IMAGE), 2)
    assert hold.outcome.basis is Basis.PROVIDER_USAGE


def test_images_of_tokens_cost_what_the_provider_counted(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    client.images.generate(model="gpt-image-1", prompt="a cat on a mat", quality="high")

    cost = Credits(4160 * IMAGE_TOKEN + 5 * TEXT_TOKEN)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost
    [hold] = stack.calls_of(account)
    assert hold.outcome.provider_cost_picodollars == hold.outcome.reported_cost_picodollars


def test_images_dearer_than_their_one_price_are_refused_by_name(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    for asked, param in (({"quality": "hd"}, "quality"), ({"size": "1792x1024"}, "size")):
        with pytest.raises(openai.BadRequestError) as caught:
            client.images.generate(model="dall-e-3", prompt="a cat", **asked)  # type: ignore[arg-type]
        assert caught.value.param == param
    assert stack.calls_of(account) == []


def test_speech_costs_its_characters_and_is_the_sound_itself(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    text = "Habari yako? " * 3

    raw = client.audio.speech.with_raw_response.create(
        model="tts-1", voice="alloy", input=text, response_format="wav"
    )

    assert raw.headers["content-type"] == "audio/wav"
    assert raw.content == b"\xff\xfb\x90\x64" * (len(text) * 16)
    assert raw.headers["x-credits-cost"] == str(Credits(len(text) * CHARACTER))
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - Credits(
        len(text) * CHARACTER
    )
    [hold] = stack.calls_of(account)
    assert hold.outcome.usage.units == len(text)
    # LiteLLM's own figure leaves white space out, and would raise an alert.
    assert hold.outcome.reported_cost_picodollars is None


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_reranking_costs_its_searches(stack: Stack, account: Account, path: str) -> None:
    answer = rerank(
        stack, account, path=path, documents=["a", {"text": "b"}] * 60, top_n=3, priority=1
    )

    assert [each["index"] for each in answer.json()["results"]] == [0, 1, 2]
    assert answer.headers["x-credits-cost"] == str(Credits(2 * SEARCH))
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - Credits(2 * SEARCH)


def test_reranking_without_a_report_is_counted(stack: Stack, account: Account) -> None:
    rerank(stack, account, documents=["a"], query="[[sim usage=missing]]")

    stack.settled_wallet_of(account.person_id)
    [hold] = stack.calls_of(account)
    assert (hold.charged, hold.outcome.basis) == (Credits(SEARCH), Basis.COUNTED_OUTPUT)


def test_moderation_is_free_where_the_operator_says_so(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    answer = client.moderations.create(input=["all is well", "still"])

    assert [each.flagged for each in answer.results] == [False, False]
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/audio/speech"])
def test_a_broken_answer_costs_nothing(stack: Stack, account: Account, path: str) -> None:
    answer = requests.post(
        f"{stack.base_url}{path}",
        json={"model": "tts-1", "voice": "alloy", "input": "[[sim cut_after=0]]"},
        headers={"authorization": f"Bearer {account.api_key}"},
        timeout=30,
    )

    assert answer.status_code == 502
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED


def test_a_model_is_refused_on_a_route_that_is_not_its_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="is for image_generation"):
        client.chat.completions.create(
            model="dall-e-3", messages=[{"role": "user", "content": "hi"}]
        )
    with pytest.raises(openai.BadRequestError, match="is for chat"):
        client.images.generate(model="demo-chat", prompt="a cat")


def test_the_receipt_and_the_lists_name_the_unit(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    answer = client.images.with_raw_response.generate(model="dall-e-3", prompt="a cat")
    stack.settled_wallet_of(account.person_id)

    receipt = requests.get(
        f"{stack.base_url}/api/v1/calls/{answer.headers['x-request-id']}",
        headers={"authorization": f"Bearer {account.api_key}"},
        timeout=30,
    ).json()
    listed = {model.id: model for model in client.models.list()}

    assert [(line["bucket"], line["tokens"], line["usd"]) for line in receipt["lines"]] == [
        ("image", 1, "0.04")
    ]
    assert listed["dall-e-3"].pricing["image"] == "0.04"  # type: ignore[attr-defined]
    assert listed["tts-1"].credits_per_unit == {"character": "0.003"}  # type: ignore[attr-defined]


MILLISECOND = 20
AUDIO_TOKEN, TEXT_IN, TEXT_OUT = 1_200, 500, 2_000


def a_sound(seconds: float) -> tuple[str, bytes]:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"\0\0" * int(8_000 * seconds))
    return "said.wav", written.getvalue()


def test_a_transcript_costs_the_length_of_its_sound(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    # More than is held in memory: the rest is on disk, and goes upstream from there.
    raw = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=a_sound(20.5), language="en", temperature=0.2
    )

    assert raw.parse().text.startswith("Hello from the sandbox.")
    assert set(raw.http_response.json()) == {"text"}
    assert raw.headers["x-credits-cost"] == str(Credits(20_500 * MILLISECOND))
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - Credits(
        20_500 * MILLISECOND
    )
    [hold] = stack.calls_of(account)
    assert (hold.outcome.usage.units, hold.outcome.basis) == (20_500, Basis.PROVIDER_USAGE)
    assert hold.outcome.error is None


def test_a_sound_whose_header_lies_is_held_by_its_bytes(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    name, honest = a_sound(20)
    # Decoders take two bytes for a sample, whatever the size of a frame is said to be.
    lying = honest[:32] + b"\xff\xff" + honest[34:]

    client.audio.transcriptions.create(model="whisper-1", file=(name, lying))

    cost = Credits(20_000 * MILLISECOND)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost
    [hold] = stack.calls_of(account)
    assert (hold.charged, hold.written_off) == (cost, Credits(0))


def test_a_long_sound_arrives_whole(stack: Stack, account: Account, client: openai.OpenAI) -> None:
    client.audio.transcriptions.create(model="whisper-1", file=a_sound(600))

    cost = Credits(600_000 * MILLISECOND)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost


def test_a_sound_is_cut_where_nobody_speaks(client: openai.OpenAI) -> None:
    answer = client.audio.transcriptions.create(
        model="gpt-4o-transcribe",
        file=a_sound(3),
        chunking_strategy={"type": "server_vad", "silence_duration_ms": 200},
    )

    assert answer.text


def test_a_transcript_of_tokens_costs_each_kind_at_its_price(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    text = client.audio.transcriptions.create(
        model="gpt-4o-transcribe",
        file=a_sound(3),
        response_format="text",
        prompt="two words [[sim tokens=7]]",
    )

    assert text == "token 0 token 1 token 2 token 3 token 4 token 5 token 6\n"
    cost = Credits(30 * AUDIO_TOKEN + 4 * TEXT_IN + 7 * TEXT_OUT)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost


def test_subtitles_cost_the_length_of_the_sound(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    written = client.audio.transcriptions.create(
        model="whisper-1", file=a_sound(3), response_format="vtt", prompt="[[sim tokens=2]]"
    )

    assert written == "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\ntoken 0 token 1\n\n"
    cost = Credits(3_000 * MILLISECOND)
    assert stack.settled_wallet_of(account.person_id).posted == FUNDED - cost


def test_a_transcript_without_a_report_is_charged_by_the_file(
    stack: Stack, account: Account, client: openai.OpenAI
) -> None:
    client.audio.transcriptions.create(
        model="whisper-1", file=a_sound(3), prompt="[[sim usage=missing]]"
    )

    stack.settled_wallet_of(account.person_id)
    [hold] = stack.calls_of(account)
    # By the samples; the file's own header counts as one.
    assert hold.outcome.usage.units == 3_003
    assert (hold.outcome.basis, hold.charged) == (
        Basis.COUNTED_OUTPUT,
        Credits(3_003 * MILLISECOND),
    )


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({"data": b"{}", "headers": {"content-type": "application/json"}}, "invalid_form", None),
        ({"data": {"model": "whisper-1"}, "files": {"other": b"x"}}, "invalid_form", "other"),
        ({"data": {"model": "whisper-1"}, "files": {"file": b""}}, "invalid_value", "file"),
        (
            {
                "data": {"model": "gpt-4o-transcribe", "response_format": "srt"},
                "files": {"file": b"x"},
            },
            "unsupported_parameter",
            "response_format",
        ),
        (
            {"data": {"model": ["whisper-1", "tts-1"]}, "files": {"file": b"x"}},
            "invalid_value",
            "model",
        ),
        (
            {
                "data": b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nx',
                "headers": {"content-type": "multipart/form-data; boundary=b"},
            },
            "invalid_form",
            None,
        ),
        (
            {"data": {"model": "whisper-1", "prompt": "a" * 300_000}, "files": {"file": b"x"}},
            "request_too_large",
            None,
        ),
    ],
)
def test_a_form_that_cannot_be_served_is_named_and_costs_nothing(
    stack: Stack, account: Account, sent: dict[str, Any], code: str, param: str | None
) -> None:
    headers = {"authorization": f"Bearer {account.api_key}", **sent.pop("headers", {})}
    answer = requests.post(
        f"{stack.base_url}/v1/audio/transcriptions", headers=headers, timeout=30, **sent
    )

    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (code, param)
    assert stack.calls_of(account) == []
