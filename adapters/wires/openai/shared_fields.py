"""Fields that mean the same on each protocol of OpenAI, many of them of other servers."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.wires.fields import (
    BOOLEAN,
    INTEGER,
    LIST,
    NUMBER,
    NUMBERS_BY_NAME,
    OBJECT,
    TEXT,
    TEXT_OR_OBJECT,
    Rule,
    string_or_strings,
)

_MAX_STOPS = 16

SAMPLING: Mapping[str, Rule] = {
    "allowed_token_ids": LIST,
    "bad_words": LIST,
    "do_sample": BOOLEAN,
    "dry_allowed_length": INTEGER,
    "dry_base": NUMBER,
    "dry_multiplier": NUMBER,
    "dry_penalty_last_n": INTEGER,
    "dry_sequence_breakers": LIST,
    "dynatemp_exponent": NUMBER,
    "dynatemp_range": NUMBER,
    "ebnf": TEXT,
    "frequency_penalty": NUMBER,
    "grammar": TEXT,
    "guided_choice": LIST,
    "guided_decoding_backend": TEXT,
    "guided_grammar": TEXT,
    "guided_json": TEXT_OR_OBJECT,
    "guided_regex": TEXT,
    "ignore_eos": BOOLEAN,
    "include_stop_str_in_output": BOOLEAN,
    "length_penalty": NUMBER,
    "logit_bias": NUMBERS_BY_NAME,
    "min_p": NUMBER,
    "min_tokens": INTEGER,
    "mirostat": INTEGER,
    "mirostat_eta": NUMBER,
    "mirostat_tau": NUMBER,
    "presence_penalty": NUMBER,
    "random_seed": INTEGER,
    "regex": TEXT,
    "repeat_last_n": INTEGER,
    "repeat_penalty": NUMBER,
    "repetition_penalty": NUMBER,
    "seed": INTEGER,
    "skip_special_tokens": BOOLEAN,
    "smoothing_curve": NUMBER,
    "smoothing_factor": NUMBER,
    "spaces_between_special_tokens": BOOLEAN,
    "stop": string_or_strings(_MAX_STOPS),
    "stop_token_ids": LIST,
    "structured_outputs": OBJECT,
    "temperature": NUMBER,
    "tfs_z": NUMBER,
    "top_a": NUMBER,
    "top_k": INTEGER,
    "top_n_sigma": NUMBER,
    "top_p": NUMBER,
    "truncate_prompt_tokens": INTEGER,
    "typical_p": NUMBER,
    "xtc_probability": NUMBER,
    "xtc_threshold": NUMBER,
}
"""How the next token is chosen, and when there is none: of OpenAI, vLLM, SGLang, llama.cpp,
KoboldCpp and others. None makes an answer longer than its limit."""

NOTES = frozenset(
    {
        "cache_prompt",
        "chat_id",
        "client_metadata",
        "conversation_id",
        "copilot_thread_id",
        "id_slot",
        "intent",
        "keep_alive",
        "metadata",
        "num_ctx",
        "priority",
        "request_id",
        "return_token_ids",
        "safety_identifier",
        "samplers",
        "session_id",
        "slot_id",
        "snippy",
        "store",
        "thread_id",
        "timings_per_token",
        "trace",
        "usage",
        "user",
        "user_id",
        "user_security_context",
    }
)
"""What programs tell a server about themselves, and about keeping and showing. LiteLLM would book
the call under some of it, on the operator's side, and ``store`` would leave the client's words in
the operator's account."""

USUAL_TIERS = ("auto", "default", "on_demand", "standard")
