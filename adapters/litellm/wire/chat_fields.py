"""The fields of a chat request beside its messages: which pass, and what they must be.

A list of what may pass, since LiteLLM turns body fields into routing, mock answers,
prices and attribution. Null means absent, as at OpenAI.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from creditcore.domain.errors import InvalidRequestError

_MAX_STOPS = 16
_LONGEST_NAME = 64


def read_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that go upstream, checked.

    Args:
        fields: The body without model, messages, streaming and limits.

    Raises:
        InvalidRequestError: With ``unsupported_parameter`` for what is refused on
            purpose, ``unknown_parameter`` for what nobody knows, ``invalid_value``
            for a wrong value; ``param`` names the field.
    """
    passed = {}
    for name, value in fields.items():
        if value is None or name in _DROPPED:
            continue
        if name in _NEUTRAL:
            if value not in _NEUTRAL[name]:
                raise _unsupported(name)
            continue
        if (rule := _RULES.get(name)) is not None:
            if not rule.holds(value):
                raise InvalidRequestError(
                    f"{name} must be {rule.words}.", param=name, code="invalid_value"
                )
            passed[name] = value
        elif name in _REFUSED or _REFUSED_SHAPES.search(name):
            raise _unsupported(name)
        else:
            shown = name[:_LONGEST_NAME]
            raise InvalidRequestError(
                f"Unknown parameter: {shown!r}.", param=shown, code="unknown_parameter"
            )
    return passed


def _unsupported(name: str) -> InvalidRequestError:
    shown = name[:_LONGEST_NAME]
    return InvalidRequestError(
        f"{shown!r} is not supported here.", param=shown, code="unsupported_parameter"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and math.isfinite(value)


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list)
        and len(value) <= _MAX_STOPS
        and all(isinstance(stop, str) for stop in value)
    )


def _is_logit_bias(value: object) -> bool:
    return isinstance(value, dict) and all(_is_number(bias) for bias in value.values())


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _are_tools(value: object) -> bool:
    # The tools of the provider itself (web search, code) cost by use, not by token.
    return isinstance(value, list) and all(
        isinstance(tool, dict) and tool.get("type") in ("function", "custom") for tool in value
    )


class _Rule(NamedTuple):
    """What a value must be, for people and for us."""

    words: str
    holds: Callable[[object], bool]


_BOOLEAN = _Rule("true or false", lambda value: isinstance(value, bool))
_INTEGER = _Rule("an integer", lambda value: type(value) is int)
_NUMBER = _Rule("a finite number", _is_number)
_TEXT = _Rule("a string", lambda value: isinstance(value, str))
_OBJECT = _Rule("an object", lambda value: isinstance(value, dict))
_CHOICE = _Rule("a string or an object", lambda value: isinstance(value, str | dict))

_RULES: Mapping[str, _Rule] = {
    "frequency_penalty": _NUMBER,
    "function_call": _CHOICE,
    "functions": _Rule("a list of objects", _are_objects),
    "logit_bias": _Rule("an object of numbers", _is_logit_bias),
    "logprobs": _BOOLEAN,
    "min_p": _NUMBER,
    "parallel_tool_calls": _BOOLEAN,
    "presence_penalty": _NUMBER,
    "prompt_cache_key": _TEXT,
    "prompt_cache_retention": _TEXT,
    "reasoning": _OBJECT,
    "reasoning_effort": _TEXT,
    "repetition_penalty": _NUMBER,
    "response_format": _OBJECT,
    "seed": _INTEGER,
    "stop": _Rule(f"a string or a list of at most {_MAX_STOPS} strings", _is_stop),
    "temperature": _NUMBER,
    "thinking": _OBJECT,
    "tool_choice": _CHOICE,
    "tools": _Rule("a list of tools of type function or custom", _are_tools),
    "top_k": _INTEGER,
    "top_logprobs": _INTEGER,
    "top_p": _NUMBER,
    "verbosity": _TEXT,
}

# Taken and not passed on: LiteLLM would book the call under them, on the operator's
# side, and ``store`` would leave the client's words in the operator's account.
_DROPPED = frozenset({"metadata", "safety_identifier", "store", "user"})

# Only harmless with these values, which are what their absence means.
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
}

# Route, mock, price, tag or reconfigure; or cost money that no count of tokens bounds.
_REFUSED = frozenset(
    {
        "additional_drop_params",
        "allowed_openai_params",
        "api_base",
        "api_key",
        "api_version",
        "audio",
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
        "fallbacks",
        "guardrail_config",
        "guardrails",
        "headers",
        "max_retries",
        "mcp_servers",
        "model_info",
        "model_list",
        "models",
        "no-log",
        "no_log",
        "num_retries",
        "organization",
        "plugins",
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
        "transforms",
        "ttl",
        "user_config",
        "vertex_credentials",
        "web_search_options",
    }
)
_REFUSED_SHAPES = re.compile(
    r"\A(?:mock_|litellm|x-litellm|aws_|azure_|vertex_)|_cost(?:_|\Z)|_api_(?:base|key)\Z",
    re.IGNORECASE,
)
