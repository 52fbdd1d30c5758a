"""The fields of a request: which pass, and what they must be.

A list of what may pass, since LiteLLM turns body fields into routing, mock answers,
prices and attribution. Null means absent, as at OpenAI.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from creditcore.domain.errors import InvalidRequestError

_LONGEST_NAME = 64
_LARGEST_WHOLE = 2**53
"""Beyond it a float has no room for every integer."""


def shown(name: str) -> str:
    """Return as much of a name that a client made up as is said back to it."""
    return name[:_LONGEST_NAME]


class Rule(NamedTuple):
    """What a value must be, for people and for us."""

    words: str
    holds: Callable[[object], bool]


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and type(value) is not bool and math.isfinite(value)


def is_object_of_numbers(value: object) -> bool:
    """Whether a value is an object whose values are all finite numbers."""
    return isinstance(value, dict) and all(map(is_number, value.values()))


def whole(value: object) -> object:
    """Return a whole number that was written with a point (``1024.0``) as an integer.

    JSON knows one kind of number, and so do languages: Lua, and Gson where it is told no type.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_WHOLE:
        return int(value)
    return value


def says_nothing(value: object) -> bool:
    """Whether a value is what programs send for an empty field."""
    return value is False or value in ("", [], {})


def strings(most: int) -> Rule:
    """Return the rule of a list of strings."""
    return Rule(
        f"a list of at most {most} strings",
        lambda value: (
            isinstance(value, list)
            and len(value) <= most
            and all(isinstance(item, str) for item in value)
        ),
    )


def string_or_strings(most: int) -> Rule:
    """Return the rule of a string or a list of strings."""
    several = strings(most)
    return Rule(
        f"a string or {several.words}",
        lambda value: isinstance(value, str) or several.holds(value),
    )


BOOLEAN = Rule("true or false", lambda value: isinstance(value, bool))
INTEGER = Rule("an integer", lambda value: type(value) is int)
LIST = Rule("a list", lambda value: isinstance(value, list))
NUMBER = Rule("a finite number", is_number)
NUMBERS_BY_NAME = Rule("an object of numbers", is_object_of_numbers)
OBJECT = Rule("an object", lambda value: isinstance(value, dict))
TEXT = Rule("a string", lambda value: isinstance(value, str))
TEXT_OR_OBJECT = Rule("a string or an object", lambda value: isinstance(value, str | dict))


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTable:
    """What may stand in a request, beside what its protocol reads one by one.

    Attributes:
        own: What the protocol reads itself.
        passed: What goes upstream as it came, by what it must be.
        dropped: What is taken and not passed on.
        neutral: What is only harmless with these values, which mean what absence means. So does
            an empty one, or false, in every field that does not go upstream.
        refused: Why a field that this protocol has is not served.
    """

    own: frozenset[str]
    passed: Mapping[str, Rule]
    dropped: frozenset[str] = frozenset()
    neutral: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def read(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that go upstream, checked.

        Raises:
            InvalidRequestError: With ``unsupported_parameter`` for what is refused on
                purpose, ``unknown_parameter`` for an unknown field, ``invalid_value``
                for a wrong value; ``param`` names the field.
        """
        passed = {}
        for name, value in fields.items():
            if value is None or name in self.own or name in self.dropped:
                continue
            rule = self.passed.get(name)
            if rule is None:
                if not self._means_absence(name, value):
                    raise self._refusal(name)
                continue
            given = whole(value) if rule is INTEGER else value
            if not rule.holds(given):
                raise invalid(name, f"must be {rule.words}")
            passed[name] = given
        return passed

    def _means_absence(self, name: str, value: object) -> bool:
        if name in self.neutral and value in self.neutral[name]:
            return True
        return says_nothing(value) and name not in _ASKED_FOR_BY_NAME

    def _refusal(self, name: str) -> InvalidRequestError:
        reason = self.refused.get(name) or _COSTLY.get(name, "")
        if name in _OPERATORS or _OPERATORS_SHAPES.search(name):
            return unsupported(name, reason or "Leave it out: the operator sets it.")
        if reason or name in self.neutral:
            return unsupported(name, reason or "Leave it out.")
        return unknown(shown(name))


def invalid(name: str, rule: str) -> InvalidRequestError:
    """Return the error of a wrong value, which names the field and the rule it breaks."""
    return InvalidRequestError(f"{name} {rule}.", param=name, code="invalid_value")


def unknown(name: str) -> InvalidRequestError:
    """Return the error of an unknown field."""
    return InvalidRequestError(
        f"Unknown parameter: {name!r}.", param=name, code="unknown_parameter"
    )


def unsupported(name: str, reason: str = "") -> InvalidRequestError:
    """Return the error of a field or a kind of thing that is refused on purpose."""
    name = shown(name)
    return InvalidRequestError(
        f"{name!r} is not supported here. {reason}".rstrip(),
        param=name,
        code="unsupported_parameter",
    )


SEARCHES = "Searches of the provider cost by use: run them yourself as a tool."

# What costs money that no count of tokens bounds, or would choose another price.
_COSTLY = {
    "audio": "Answers come as text; speech is at /v1/audio/speech.",
    "container": "Code runs on your side only.",
    "fallbacks": "Name one model, as model, and ask another yourself.",
    "inference_geo": "The operator chooses where a model runs.",
    "mcp_servers": "Call the servers yourself, as tools.",
    "models": "Name one model, as model.",
    "moderation": "Send what is to be judged to /v1/moderations.",
    "plugins": "They cost by use: run them yourself as tools.",
    "search_parameters": SEARCHES,
    "service_tier": "Leave it out: every call has the usual one.",
    "speed": "Leave it out: every call has the usual one.",
    "transforms": "Send the conversation as the model should see it.",
    "web_search_options": SEARCHES,
}
_ASKED_FOR_BY_NAME = frozenset({"search_parameters", "web_search_options"})
"""What asks for a search even where nothing stands in it."""

# Route, mock, price, tag or reconfigure.
_OPERATORS = frozenset(
    {
        "additional_drop_params",
        "allowed_openai_params",
        "api_base",
        "api_key",
        "api_version",
        "base_model",
        "base_url",
        "cache",
        "callbacks",
        "configurable_clientside_auth_params",
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "custom_llm_provider",
        "deployment_id",
        "disable_fallbacks",
        "drop_params",
        "enforced_params",
        "extra_body",
        "extra_headers",
        "extra_query",
        "failure_callback",
        "guardrail_config",
        "guardrails",
        "headers",
        "max_retries",
        "model_info",
        "model_list",
        "no-log",
        "no_log",
        "num_retries",
        "organization",
        "prompt_id",
        "prompt_variables",
        "provider",
        "proxy_server_request",
        "route",
        "router_settings",
        "stream_timeout",
        "success_callback",
        "tags",
        "timeout",
        "ttl",
        "user_config",
        "user_profile_id",
        "vertex_credentials",
        "workspace_id",
    }
)
_OPERATORS_SHAPES = re.compile(
    r"\A(?:mock_|litellm|x-litellm|aws_|azure_|vertex_)|_cost(?:_|\Z)|_api_(?:base|key)\Z",
    re.IGNORECASE,
)
