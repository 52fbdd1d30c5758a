"""What the model answers: its pieces, why it stopped, and what it used."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.litellm.errors import bad_request
from sandbox.litellm.models import cost_of
from sandbox.litellm.script import Script, ScriptError

GREETING = "Hello from the sandbox. This answer costs a little, and every token of it is counted."

TOKENS_PER_MESSAGE = 4
# What LiteLLM's own counter takes for an image.
TOKENS_PER_IMAGE = 250
DEFAULT_REASONING_TOKENS = 16
CHARACTERS_PER_ARGUMENT_TOKEN = 6
MAX_CHOICES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One complete answer, before it is put on the wire.

    Attributes:
        provider: Whose model it is, in LiteLLM's words.
        pieces: The text of one choice, or the arguments of its tool call, one token each.
        tool: The name of the tool to call; None for an answer in text.
        usage: What is reported, which a script may falsify; None reports nothing.
        cost: In USD, as LiteLLM would report it.
    """

    id: str
    created: int
    model: str
    provider: str
    choices: int
    pieces: Sequence[str]
    tool: str | None
    finish_reason: str
    usage: dict[str, Any] | None
    cost: float
    script: Script

    @classmethod
    def of(
        cls,
        body: Mapping[str, Any],
        info: Mapping[str, Any],
        *,
        silent: bool = False,
        prompt_tokens: int | None = None,
    ) -> Completion:
        """Answer a request.

        Args:
            body: The request, in the words of chat.
            info: The model's prices.
            silent: Nothing is written: an embedding.
            prompt_tokens: What the prompt counts, where messages do not tell.

        Raises:
            LiteLLMError: The request makes no sense.
        """
        messages = body.get("messages")
        if (
            not isinstance(messages, list)
            or not messages
            or not all(isinstance(part, dict) for part in messages)
        ):
            raise bad_request("messages must be a list of messages")
        script = script_of(messages)
        tool = _tool_to_call(body, messages, script)
        pieces = _arguments(tool, script) if tool else [] if silent else _text(body, script)
        choices = min(_count(body.get("n"), 1), MAX_CHOICES)
        reasoning = script.reasoning
        if reasoning < 0:
            reasoning = (
                DEFAULT_REASONING_TOKENS if info.get("output_cost_per_reasoning_token") else 0
            )

        finish_reason = "tool_calls" if tool else "stop"
        limit = _count(body.get("max_completion_tokens"), _count(body.get("max_tokens"), 0))
        if limit and not script.ignore_max and reasoning + len(pieces) > limit:
            reasoning = min(reasoning, limit)
            pieces = pieces[: limit - reasoning]
            finish_reason = "length"

        prompt = words_and_messages(messages) if prompt_tokens is None else prompt_tokens
        if script.prompt >= 0:
            prompt = script.prompt
        completion_tokens = choices * (len(pieces) + reasoning)
        cost = cost_of(
            info,
            prompt=prompt,
            cached=script.cached,
            cache_write=script.cache_write,
            completion=completion_tokens,
            reasoning=choices * reasoning,
        )
        return cls(
            id=f"chatcmpl-{secrets.token_hex(6)}",
            created=int(time.time()),
            model=str(body["model"]),
            provider=str(info.get("litellm_provider")),
            choices=choices,
            pieces=pieces,
            tool=tool["name"] if tool else None,
            finish_reason=finish_reason,
            usage=_usage(
                script,
                info,
                prompt=prompt,
                completion=completion_tokens,
                reasoning=choices * reasoning,
            ),
            cost=script.cost if script.cost >= 0 else cost,
            script=script,
        )

    @property
    def text(self) -> str:
        """All of one choice."""
        return "".join(self.pieces)

    @property
    def by_anthropic(self) -> bool:
        """Whether LiteLLM passes this answer on from Anthropic, rather than making it up."""
        return self.provider == "anthropic"

    @property
    def routed_id(self) -> str:
        """Return an id into which LiteLLM has packed its routing, as it does for responses."""
        routing = (
            f"litellm:custom_llm_provider:{self.provider};model_id:0f1e2d3c;"
            f"response_id:resp_{self.id.removeprefix('chatcmpl-')}"
        )
        return f"resp_{base64.b64encode(routing.encode()).decode()}"

    def tool_call_id(self, choice: int) -> str:
        """Return the id of a choice's tool call."""
        return f"call_{self.id.removeprefix('chatcmpl-')}{choice}"


def script_of(messages: Sequence[Mapping[str, Any]]) -> Script:
    """Return the script in the last message of the user.

    Raises:
        LiteLLMError: The script has a typing error.
    """
    prompt = next(
        (_words_of(message) for message in reversed(messages) if message.get("role") == "user"), ""
    )
    try:
        return Script.from_prompt(prompt)
    except ScriptError as error:
        raise bad_request(str(error)) from error


def _words_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(str(part["text"]) for part in _parts(content) if "text" in part)


def _parts(content: object) -> list[dict[str, Any]]:
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def words_and_messages(messages: Sequence[Mapping[str, Any]]) -> int:
    """Return a count that anyone can check: the words, and a little for each message and image."""
    parts = [part for message in messages for part in _parts(message.get("content"))]
    images = len([part for part in parts if part.get("type") == "image_url"])
    words = sum(len(_words_of(message).split()) for message in messages)
    return words + TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_IMAGE * images


def _text(body: Mapping[str, Any], script: Script) -> list[str]:
    if script.tokens >= 0:
        return [f"{' ' if number else ''}token {number}" for number in range(script.tokens)]
    wanted = _object(body.get("response_format"))
    if wanted.get("type") in ("json_object", "json_schema"):
        schema = _object(_object(wanted.get("json_schema")).get("schema"))
        value = _example(schema) if schema else {"answer": script.text or GREETING}
        return _cut_up(orjson.dumps(value).decode())
    first, *others = script.text.split() or GREETING.split()
    return [first, *(f" {word}" for word in others)]


def _tool_to_call(
    body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], script: Script
) -> dict[str, Any] | None:
    """Return the function to call: the one demanded, else the first; none once its result came."""
    tools = [_object(tool.get("function")) for tool in _parts(body.get("tools"))]
    tools = [tool for tool in tools if isinstance(tool.get("name"), str)]
    choice = body.get("tool_choice")
    if not tools or choice == "none" or messages[-1].get("role") != "user":
        return None
    demanded = script.tool or _object(_object(choice).get("function")).get("name")
    found = next((tool for tool in tools if tool["name"] == demanded), None)
    return found if script.tool else found or tools[0]


def _arguments(tool: Mapping[str, Any], script: Script) -> list[str]:
    parameters = _object(tool.get("parameters"))
    arguments = _example({"type": "object", **parameters})
    if script.argument:
        name, _, value = script.argument.partition("=")
        required = parameters.get("required") or []
        arguments = {key: each for key, each in _object(arguments).items() if key in required}
        arguments[name] = value
    return _cut_up(orjson.dumps(arguments).decode())


def _cut_up(text: str) -> list[str]:
    step = CHARACTERS_PER_ARGUMENT_TOKEN
    return [text[start : start + step] for start in range(0, len(text), step)]


def _example(schema: Mapping[str, Any]) -> object:
    """Return a value that a JSON schema allows."""
    allowed = schema.get("enum")
    if isinstance(allowed, list) and allowed:
        return allowed[0]
    match schema.get("type"):
        case "object":
            return {
                name: _example(_object(part))
                for name, part in _object(schema.get("properties")).items()
            }
        case "array":
            return [_example(_object(schema.get("items")))]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case _:
            return "example"


def _object(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else that a client sent."""
    return value if isinstance(value, dict) else {}


def _count(value: object, otherwise: int) -> int:
    return value if type(value) is int and value > 0 else otherwise


def _usage(
    script: Script, info: Mapping[str, Any], *, prompt: int, completion: int, reasoning: int
) -> dict[str, Any] | None:
    if script.usage == "missing":
        return None
    if script.usage:
        numbers: dict[str, tuple[Any, Any, Any]] = {
            "zero": (0, 0, 0),
            "negative": (-completion, -prompt, -completion - prompt),
            "absurd": (10**15, 10**15, 2 * 10**15),
            "string": (str(completion), str(prompt), str(completion + prompt)),
        }
        return dict(
            zip(
                ("completion_tokens", "prompt_tokens", "total_tokens"),
                numbers[script.usage],
                strict=True,
            )
        )
    usage: dict[str, Any] = {
        "completion_tokens": completion,
        "prompt_tokens": prompt,
        "total_tokens": prompt + completion,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "prompt_tokens_details": {"cached_tokens": script.cached},
    }
    if info.get("litellm_provider") == "anthropic" or script.cache_write:
        usage["completion_tokens_details"]["text_tokens"] = completion - reasoning
        usage["prompt_tokens_details"] |= {
            "text_tokens": 0,
            "cache_creation_tokens": script.cache_write,
        }
        usage |= {
            "cache_creation_input_tokens": script.cache_write,
            "cache_read_input_tokens": script.cached,
        }
    return usage
