"""What a person asks a model from the page: read from a form or a script, made into a request."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from creditcore.domain.errors import InvalidRequestError

ENDPOINT = "/v1/chat/completions"
MAX_ANSWER_TOKENS = 200_000
MAX_MESSAGES = 200
MAX_TEXT = 400_000
_MAX_TEMPERATURE = 2
_DEFAULT_ANSWER = "512"
_MAX_NAME_LENGTH = 300
_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to a model.

    Attributes:
        system: What the model is told first; empty for nothing.
        messages: The conversation so far, each with its role and text; the last is the person's.
        max_tokens: The longest answer.
        temperature: How freely it answers; None for the model's own way.
    """

    model: str
    system: str
    messages: Sequence[Mapping[str, str]]
    max_tokens: int
    temperature: float | None

    def fields(self, *, stream: bool) -> dict[str, Any]:
        """Return the request as the chat protocol has it."""
        first = [{"role": "system", "content": self.system}] if self.system else []
        fields: dict[str, Any] = {
            "model": self.model,
            "messages": [*first, *map(dict, self.messages)],
            "max_tokens": self.max_tokens,
        }
        if self.temperature is not None:
            fields["temperature"] = self.temperature
        if stream:
            # The last chunk then says what the call cost.
            fields |= {"stream": True, "stream_options": {"include_usage": True}}
        return fields

    def body(self, *, stream: bool) -> bytes:
        """Return the request's body."""
        return json.dumps(self.fields(stream=stream), ensure_ascii=False).encode()


def from_form(form: Mapping[str, str]) -> Question:
    """Read a question from the page's form.

    Raises:
        InvalidRequestError: Something in it cannot be read; ``param`` names the field.
    """
    messages = [{"role": "user", "content": form.get("prompt", "")}]
    return _question(form, messages)


def from_script(sent: object) -> Question:
    """Read a question, with the conversation before it, from what the page's script sends.

    Raises:
        InvalidRequestError: As ``from_form`` does.
    """
    if not isinstance(sent, dict):
        raise InvalidRequestError("The body is a JSON object.")
    messages = sent.get("messages")
    if not isinstance(messages, list) or len(messages) > MAX_MESSAGES:
        raise InvalidRequestError(
            f"A conversation has 1 to {MAX_MESSAGES} messages.", param="prompt"
        )
    for message in messages:
        is_message = (
            isinstance(message, dict)
            and message.get("role") in _ROLES
            and isinstance(message.get("content"), str)
        )
        if not is_message:
            raise InvalidRequestError("A message has a role and a text.", param="prompt")
    fields = {name: str(sent.get(name, "") or "") for name in _FIELDS}
    plain = [{"role": each["role"], "content": each["content"]} for each in messages]
    return _question(fields, plain)


_FIELDS = ("model", "system", "max_tokens", "temperature")


def _question(fields: Mapping[str, str], messages: Sequence[Mapping[str, str]]) -> Question:
    model = fields.get("model", "").strip()[:_MAX_NAME_LENGTH]
    if not model:
        raise InvalidRequestError("Choose a model.", param="model")
    if not messages or not messages[-1]["content"].strip():
        raise InvalidRequestError("Write what to ask.", param="prompt")
    system = fields.get("system", "").strip()
    if sum(len(each["content"]) for each in messages) + len(system) > MAX_TEXT:
        raise InvalidRequestError(
            f"A conversation has at most {MAX_TEXT:,} characters here.", param="prompt"
        )
    return Question(
        model=model,
        system=system,
        messages=messages,
        max_tokens=_whole(fields.get("max_tokens", "").strip() or _DEFAULT_ANSWER),
        temperature=_temperature(fields.get("temperature", "").strip()),
    )


def _whole(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < len(f"{MAX_ANSWER_TOKENS}0"):
        count = int(text)
        if 1 <= count <= MAX_ANSWER_TOKENS:
            return count
    raise InvalidRequestError(
        f"The longest answer is 1 to {MAX_ANSWER_TOKENS:,} tokens.", param="max_tokens"
    )


def _temperature(text: str) -> float | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number <= _MAX_TEMPERATURE:
        raise InvalidRequestError("The temperature is between 0 and 2.", param="temperature")
    return float(number)


def as_code(question: Question, base_url: str) -> dict[str, str]:
    """Return the same call in three languages, with the key in a variable of the environment."""
    fields = question.fields(stream=False)
    arguments = ",\n".join(f"    {name}={value!r}" for name, value in fields.items())
    document = json.dumps(fields, indent=2, ensure_ascii=False)
    python = f"""import os
from openai import OpenAI

client = OpenAI(
    base_url="{base_url}/v1",
    api_key=os.environ["CREDITCORE_API_KEY"],
)
answer = client.chat.completions.create(
{arguments},
)
print(answer.choices[0].message.content)"""
    node = f"""import OpenAI from "openai";

const client = new OpenAI({{
  baseURL: "{base_url}/v1",
  apiKey: process.env.CREDITCORE_API_KEY,
}});
const answer = await client.chat.completions.create({document});
console.log(answer.choices[0].message.content);"""
    curl = (
        f"curl {base_url}{ENDPOINT} \\\n"
        '  -H "Authorization: Bearer $CREDITCORE_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(fields, ensure_ascii=False))}"
    )
    return {"python": python, "node": node, "curl": curl}
