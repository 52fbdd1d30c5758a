"""A new key, ready to be pasted into each client of docs/clients.md, or handed over by a link."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Setup:
    """What one client needs.

    Attributes:
        id: Names it within the page.
        name: What people call it.
        text: What is pasted.
        where: Where it goes.
    """

    id: str
    name: str
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class AppLink:
    """An address that an installed program opens, and asks its user before it saves anything."""

    name: str
    href: str


def setups(*, base_url: str, key: str, model: str) -> tuple[Setup, ...]:
    """Return the ways to use a key, the plainest first."""
    return (
        Setup("curl", "curl", _curl(base_url, key, model), "a terminal"),
        Setup("variables", "Environment variables", _variables(base_url, key), "a shell or a .env"),
        Setup("claude-code", "Claude Code", _claude_code(base_url, key, model), "a terminal"),
        Setup("codex", "Codex CLI", _codex(base_url, key, model), "~/.codex/config.toml"),
        Setup("python", "Python (openai)", _python(base_url, key, model), "a file, or python -i"),
        Setup("anthropic", "Python (anthropic)", _anthropic(base_url, key, model), "a file"),
        Setup("node", "Node (openai)", _node(base_url, key, model), "a .mjs file"),
        Setup("vercel", "Vercel AI SDK", _vercel(base_url, key, model), "a .mjs file"),
        Setup("langchain", "LangChain", _langchain(base_url, key, model), "a file"),
    )


def app_links(*, base_url: str, key: str, name: str, model: str) -> tuple[AppLink, ...]:
    """Return links for programs that take a provider by one; none leads to another site.

    Cherry Studio: base64 of JSON in ``data`` (its ``providersImport.ts``); it adds ``/v1``
    itself. CC Switch, which switches Claude Code and Codex: plain parameters.
    """
    provider = {"id": name.lower(), "name": name, "type": "openai"}
    provider |= {"baseUrl": base_url, "apiKey": key}
    data = base64.b64encode(json.dumps(provider).encode()).decode()
    switches = [
        AppLink(
            f"{tool} by CC Switch",
            "ccswitch://v1/import?"
            + urlencode(
                {
                    "resource": "provider",
                    "app": app,
                    "name": name,
                    "endpoint": endpoint,
                    "apiKey": key,
                    "model": model,
                }
            ),
        )
        for tool, app, endpoint in (
            ("Claude Code", "claude", base_url),
            ("Codex", "codex", f"{base_url}/v1"),
        )
    ]
    cherry = f"cherrystudio://providers/api-keys?v=1&data={quote(data, safe='')}"
    return (AppLink("Cherry Studio", cherry), *switches)


def _curl(base_url: str, key: str, model: str) -> str:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Habari!"}]})
    return (
        f'curl {base_url}/v1/chat/completions -H "Authorization: Bearer {key}"'
        f" -H \"Content-Type: application/json\" -d '{body}'"
    )


def _variables(base_url: str, key: str) -> str:
    return f"""\
export OPENAI_BASE_URL={base_url}/v1 OPENAI_API_KEY={key}
export ANTHROPIC_BASE_URL={base_url} ANTHROPIC_API_KEY={key}"""


def _claude_code(base_url: str, key: str, model: str) -> str:
    return f"""\
export ANTHROPIC_BASE_URL={base_url}
export ANTHROPIC_AUTH_TOKEN={key}
export ANTHROPIC_MODEL={model}
export ANTHROPIC_DEFAULT_HAIKU_MODEL={model}
export ANTHROPIC_DEFAULT_SONNET_MODEL={model}
export ANTHROPIC_DEFAULT_OPUS_MODEL={model}
claude"""


def _codex(base_url: str, key: str, model: str) -> str:
    return f"""\
# and in the shell that starts it: export CREDITCORE_API_KEY={key}
model = "{model}"
model_provider = "creditcore"
web_search = "disabled"

[model_providers.creditcore]
name = "creditcore"
base_url = "{base_url}/v1"
env_key = "CREDITCORE_API_KEY"
wire_api = "responses\""""


def _python(base_url: str, key: str, model: str) -> str:
    return f"""\
from openai import OpenAI

client = OpenAI(base_url="{base_url}/v1", api_key="{key}")
answer = client.chat.completions.create(
    model="{model}", messages=[{{"role": "user", "content": "Habari!"}}]
)
print(answer.choices[0].message.content)"""


def _anthropic(base_url: str, key: str, model: str) -> str:
    return f"""\
from anthropic import Anthropic

client = Anthropic(base_url="{base_url}", api_key="{key}")
answer = client.messages.create(
    model="{model}", max_tokens=200, messages=[{{"role": "user", "content": "Habari!"}}]
)
print(answer.content[0].text)"""


def _node(base_url: str, key: str, model: str) -> str:
    return f"""\
import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{base_url}/v1", apiKey: "{key}" }});
const answer = await client.chat.completions.create({{
  model: "{model}",
  messages: [{{ role: "user", content: "Habari!" }}],
}});
console.log(answer.choices[0].message.content);"""


def _vercel(base_url: str, key: str, model: str) -> str:
    return f"""\
import {{ createOpenAICompatible }} from "@ai-sdk/openai-compatible";
import {{ generateText }} from "ai";

const provider = createOpenAICompatible({{
  name: "creditcore", baseURL: "{base_url}/v1", apiKey: "{key}",
}});
const {{ text }} = await generateText({{ model: provider("{model}"), prompt: "Habari!" }});
console.log(text);"""


def _langchain(base_url: str, key: str, model: str) -> str:
    return f"""\
from langchain_openai import ChatOpenAI

chat = ChatOpenAI(base_url="{base_url}/v1", api_key="{key}", model="{model}")
print(chat.invoke("Habari!").content)"""
