"""Images, speech, reranking and moderation: answers that are not a chat's."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Never

import orjson

from sandbox.litellm.completion import Completion
from sandbox.litellm.errors import bad_request

TOKENS_OF_QUALITIES = {"low": 272, "medium": 1056, "high": 4160}
DOCUMENTS_PER_SEARCH = 100
BYTES_OF_SOUND_PER_CHARACTER = 64
BYTES_PER_SECOND = 8_000
AUDIO_TOKENS_PER_SECOND = 10
_PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\nsandbox").decode()


class Media:
    """What these routes have in common: nothing is streamed."""

    media_type = "application/json"

    def events(self, _completion: Completion, _body: Mapping[str, Any]) -> Never:
        """Refuse: these answers are not streamed."""
        raise bad_request("this route cannot be streamed")


class Images(Media):
    """``/v1/images/generations``; the last word on the number of images is the request's."""

    path = "/images/generations"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the images cost: by their tokens where those have a price."""
        completion = _asked(body, info, body.get("prompt"))
        completion = replace(completion, choices=body.get("n") or 1)
        per_token = info.get("output_cost_per_image_token")
        if per_token:
            usage = _image_usage(completion, body)
            text = usage["input_tokens"] * (info.get("input_cost_per_token") or 0)
            cost = text + usage["output_tokens"] * per_token
        else:
            cost = completion.choices * (info.get("input_cost_per_image") or 0)
        return _priced(completion, cost)

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return the images, and their tokens unless the script leaves those out."""
        is_data = body.get("response_format") == "b64_json" or "quality" in body
        image = {
            "b64_json": _PIXEL if is_data else None,
            "revised_prompt": None,
            "url": None if is_data else "https://images.example/sandbox.png",
        }
        counted = body.get("quality") in TOKENS_OF_QUALITIES and completion.usage is not None
        nothing = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        return orjson.dumps(
            {
                "created": completion.created,
                "background": None,
                "data": [image] * completion.choices,
                "output_format": None,
                "quality": None,
                "size": None,
                "usage": _image_usage(completion, body) if counted else nothing,
            }
        )


class Speech(Media):
    """``/v1/audio/speech``."""

    path = "/audio/speech"
    media_type = "audio/mpeg"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the characters cost; LiteLLM leaves white space out."""
        completion = _asked(body, info, body.get("input"))
        characters = len("".join(str(body.get("input")).split()))
        return _priced(completion, characters * (info.get("input_cost_per_character") or 0))

    def document(self, _completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return bytes that look like sound."""
        return b"\xff\xfb\x90\x64" * (
            len(str(body.get("input"))) * BYTES_OF_SOUND_PER_CHARACTER // 4
        )


class Transcriptions(Media):
    """``/v1/audio/transcriptions``, whose form the application has read."""

    path = "/audio/transcriptions"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the sound costs, by its seconds or by its tokens."""
        asked = {
            "model": body["model"],
            "messages": [{"role": "user", "content": body.get("prompt") or ""}],
        }
        completion = Completion.of(asked, info)
        per_second = info.get("output_cost_per_second") or info.get("input_cost_per_second")
        if per_second:
            return _priced(completion, seconds_of(body["file"]) * per_second)
        heard = _heard_tokens(body)
        text_in, text_out = heard["input_token_details"]["text_tokens"], len(completion.pieces)
        cost = (
            heard["input_token_details"]["audio_tokens"] * info["input_cost_per_audio_token"]
            + text_in * info["input_cost_per_token"]
            + text_out * info["output_cost_per_token"]
        )
        return _priced(completion, cost)

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return the transcript; a script may leave out what it was billed by."""
        is_told = completion.usage is not None
        answer: dict[str, Any] = {"text": completion.text}
        if body.get("response_format") == "verbose_json":
            answer |= {"task": "transcribe", "language": "english", "words": None}
            answer["segments"] = [
                {"id": 0, "start": 0.0, "end": seconds_of(body["file"]), "text": completion.text}
            ]
            if is_told:
                answer["duration"] = seconds_of(body["file"])
        elif is_told:
            tokens = _heard_tokens(body)
            written = len(completion.pieces)
            answer["usage"] = {
                "type": "tokens",
                **tokens,
                "output_tokens": written,
                "total_tokens": tokens["input_tokens"] + written,
            }
        return orjson.dumps(answer)


class Rerank(Media):
    """``/v1/rerank``."""

    path = "/rerank"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return no cost: LiteLLM's own answer has no header for it."""
        return _priced(_asked(body, info, body.get("query")), 0.0)

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return the documents in the order in which they came."""
        documents: Sequence[object] = body.get("documents") or []
        answer: dict[str, Any] = {
            "id": completion.id,
            "results": [
                {"index": index, "relevance_score": round(1 / (index + 1), 4)}
                for index in range(min(len(documents), body.get("top_n") or len(documents)))
            ],
        }
        if completion.usage is not None:
            tokens = completion.usage["prompt_tokens"]
            answer["meta"] = {
                "billed_units": {
                    "search_units": -(-len(documents) // DOCUMENTS_PER_SEARCH),
                    "total_tokens": tokens,
                },
                "tokens": {"input_tokens": tokens, "output_tokens": 0},
            }
        return orjson.dumps(answer)


class Moderations(Media):
    """``/v1/moderations``; OpenAI's is free, and reports no usage."""

    path = "/moderations"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return no cost."""
        return _priced(_asked(body, info, body.get("input")), 0.0)

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return the same judgement for every input: all is well."""
        given = body.get("input")
        judgement = {
            "flagged": False,
            "categories": {"harassment": False, "violence": False},
            "category_scores": {"harassment": 0.001, "violence": 0.001},
            "category_applied_input_types": {"harassment": ["text"], "violence": ["text"]},
        }
        count = len(given) if isinstance(given, list) else 1
        return orjson.dumps(
            {"id": completion.id, "model": completion.model, "results": [judgement] * count}
        )


def seconds_of(sound: bytes) -> float:
    """Return how long a sound is: by the header of a WAV, else at 64 kbit/s."""
    if sound[:4] == b"RIFF":
        with wave.open(io.BytesIO(sound)) as file:
            return float(file.getnframes() / file.getframerate())
    return len(sound) / BYTES_PER_SECOND


def _heard_tokens(body: Mapping[str, Any]) -> dict[str, Any]:
    audio = round(seconds_of(body["file"]) * AUDIO_TOKENS_PER_SECOND)
    text = len(str(body.get("prompt") or "").split())
    return {
        "input_tokens": audio + text,
        "input_token_details": {"audio_tokens": audio, "text_tokens": text},
    }


def _asked(body: Mapping[str, Any], info: Mapping[str, Any], text: object) -> Completion:
    """Read a request as a chat with one message, which has the script in it."""
    words = text if isinstance(text, str) else orjson.dumps(text).decode()
    asked = {"model": body["model"], "messages": [{"role": "user", "content": words}]}
    return Completion.of(asked, info, silent=True)


def _priced(completion: Completion, cost: float) -> Completion:
    scripted = completion.script.cost
    return replace(completion, cost=scripted if scripted >= 0 else cost)


def _image_usage(completion: Completion, body: Mapping[str, Any]) -> dict[str, Any]:
    prompt = len(str(body.get("prompt")).split())
    output = completion.choices * TOKENS_OF_QUALITIES.get(str(body.get("quality")), 1056)
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": prompt},
        "output_tokens": output,
        "total_tokens": prompt + output,
    }
