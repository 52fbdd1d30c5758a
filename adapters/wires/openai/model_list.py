"""Models as OpenAI lists them, with what clients read beside it.

The further fields are those of OpenRouter's list (its documentation, "List available models"),
which Open WebUI, Cline, opencode and others look for: the context, what goes in and comes out,
which parameters count, and what a token costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from adapters.wires.openai.chat_fields import CHAT_FIELDS
from adapters.wires.request import TEXT_MODES
from creditcore.ports.inference import OfferedModel

_CREATED = 1_677_610_602
"""Models have no date of their own here; this is the one that OpenAI's oldest carry."""

# What only some models can do, and the parameters that are for it.
_PARAMETERS_OF_FEATURES = {
    "function_calling": {
        "function_call",
        "functions",
        "parallel_tool_calls",
        "tool_choice",
        "tools",
    },
    "reasoning": {"reasoning", "reasoning_effort", "thinking"},
    "response_schema": {"response_format"},
}
_INPUTS_OF_FEATURES = {"vision": "image", "pdf_input": "file"}
_INPUTS_OF_MODES = {"audio_transcription": "audio"}
_OUTPUTS_OF_MODES = {
    "audio_speech": "audio",
    "embedding": "embeddings",
    "image_generation": "image",
    "rerank": "scores",
}


def model_document(model: OfferedModel) -> bytes:
    """Return OpenAI's model object."""
    return orjson.dumps(_document(model))


def model_list(models: Sequence[OfferedModel]) -> bytes:
    """Return all of them: this list has no pages."""
    return orjson.dumps({"object": "list", "data": [_document(model) for model in models]})


def _document(model: OfferedModel) -> dict[str, Any]:
    inputs = [
        _INPUTS_OF_MODES.get(model.mode, "text"),
        *(_INPUTS_OF_FEATURES[name] for name in _INPUTS_OF_FEATURES if name in model.features),
    ]
    outputs = [_OUTPUTS_OF_MODES.get(model.mode, "text")]
    return {
        "id": model.model,
        "object": "model",
        "created": _CREATED,
        "owned_by": "creditcore",
        "name": model.model,
        "max_input_tokens": model.max_input_tokens,
        "max_output_tokens": model.max_output_tokens,
        "context_length": model.max_input_tokens,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
            "input_modalities": inputs,
            "output_modalities": outputs,
        },
        "top_provider": {
            "context_length": model.max_input_tokens,
            "max_completion_tokens": model.max_output_tokens,
            "is_moderated": False,
        },
        "supported_parameters": _parameters(model),
        "pricing": dict(model.usd),
        "credits_per_million_tokens": dict(model.credits_per_million),
        "credits_per_unit": dict(model.credits_per_unit),
    }


def _parameters(model: OfferedModel) -> list[str]:
    if model.mode not in TEXT_MODES:
        return []
    missing = [
        names for feature, names in _PARAMETERS_OF_FEATURES.items() if feature not in model.features
    ]
    return sorted({"max_tokens", "stream", *CHAT_FIELDS.passed}.difference(*missing))
