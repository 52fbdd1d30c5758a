"""The SDKs and frameworks that are run, each as the newest that its registry serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.stack import REPOSITORY

HERE = Path(__file__).resolve().parent
NODE = str(HERE / "node_modules" / ".bin" / "node")
OPENAI_3 = str(REPOSITORY / ".venv-clients-openai-3" / "bin" / "python")
OPENAI_2 = str(REPOSITORY / ".venv-clients-openai-2" / "bin" / "python")
"""Some still ask for an openai below 3."""

SOME_HAVE = frozenset({"documents", "embeddings", "made_images", "speech"})
"""The cases that a client may have nothing for."""


@dataclass(frozen=True)
class Sdk:
    """One client.

    Attributes:
        name: What the document calls it.
        command: What runs its cases.
        has: Those of ``SOME_HAVE`` that it has.
    """

    name: str
    command: tuple[str, ...]
    has: frozenset[str]

    @property
    def lacks(self) -> frozenset[str]:
        """The cases that it has nothing for."""
        return SOME_HAVE - self.has


def of_python(
    name: str, program: str, *arguments: str, python: str = OPENAI_3, has: tuple[str, ...]
) -> Sdk:
    """Return a client from PyPI."""
    return Sdk(name, (python, "python/runner.py", f"{program}_client", *arguments), frozenset(has))


def of_node(name: str, program: str, *arguments: str, has: tuple[str, ...]) -> Sdk:
    """Return a client from npm."""
    return Sdk(name, (NODE, f"{program}.mjs", *arguments), frozenset(has))


PDF = ("documents",)
VECTORS = ("documents", "embeddings")
ALL = ("documents", "embeddings", "made_images", "speech")

SDKS = (
    # The longest first: it tries seven times, and waits ever longer.
    of_node("LangChain (JavaScript)", "langchain-js", has=VECTORS),
    of_python("openai (Python)", "openai", has=ALL),
    of_node("openai (Node)", "openai-node", has=ALL),
    of_python("anthropic (Python)", "anthropic", has=PDF),
    of_node("anthropic (Node)", "anthropic-node", has=PDF),
    of_node("Vercel AI SDK, OpenAI", "vercel-ai", "openai", has=ALL),
    of_node("Vercel AI SDK, compatible", "vercel-ai", "openai-compatible", has=VECTORS),
    of_node("Vercel AI SDK, Anthropic", "vercel-ai", "anthropic", has=PDF),
    of_python("LangChain (Python)", "langchain", has=VECTORS),
    of_python("LlamaIndex", "llama_index", python=OPENAI_2, has=VECTORS),
    of_python("pydantic-ai, chat", "pydantic_ai", "chat", has=VECTORS),
    of_python("pydantic-ai, responses", "pydantic_ai", "responses", has=VECTORS),
    of_python("pydantic-ai, Anthropic", "pydantic_ai", "anthropic", has=PDF),
    of_python("instructor", "instructor", python=OPENAI_2, has=PDF),
    of_python("openai-agents", "openai_agents", has=PDF),
    of_python("smolagents", "smolagents", has=()),
    of_python("litellm", "litellm", has=ALL),
    of_python("llm", "llm", has=VECTORS),
)
