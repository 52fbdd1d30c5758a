"""pydantic-ai, on the protocol that the last argument names: chat, responses or anthropic."""

import sys

from given import (
    BASE_URL,
    CLAUDE,
    DOCUMENT,
    EMBEDDING,
    MODEL,
    PICTURE,
    URL,
    Call,
    Place,
    is_enough,
    joined_later,
    weather,
)
from pydantic_ai import Agent, BinaryContent, Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

PROTOCOL = sys.argv[2]


def a_model(call: Call) -> Model:
    if PROTOCOL == "anthropic":
        return AnthropicModel(
            CLAUDE, provider=AnthropicProvider(base_url=BASE_URL, api_key=call.key)
        )
    kind = OpenAIResponsesModel if PROTOCOL == "responses" else OpenAIChatModel
    return kind(MODEL, provider=OpenAIProvider(base_url=URL, api_key=call.key))


async def plain(call: Call) -> str:
    return (await Agent(a_model(call)).run(call.prompt)).output


async def streamed(call: Call) -> str:
    async with Agent(a_model(call)).run_stream(call.prompt) as stream:
        return await stream.get_output()


async def tools(call: Call) -> str:
    asked = []

    def noted(city: str) -> str:
        asked.append("weather")
        return weather(city)

    agent = Agent(a_model(call))
    agent.tool_plain(noted, name="weather")
    assert (await agent.run(call.prompt)).output
    return asked[0]


async def structured(call: Call) -> dict:
    return (await Agent(a_model(call), output_type=Place).run(call.prompt)).output.model_dump()


async def images(call: Call) -> str:
    picture = BinaryContent(PICTURE, media_type="image/png")
    return (await Agent(a_model(call)).run([call.prompt, picture])).output


async def documents(call: Call) -> str:
    document = BinaryContent(DOCUMENT, media_type="application/pdf")
    return (await Agent(a_model(call)).run([call.prompt, document])).output


async def embeddings(call: Call) -> int:
    model = OpenAIEmbeddingModel(EMBEDDING, provider=OpenAIProvider(base_url=URL, api_key=call.key))
    return len((await Embedder(model).embed_documents([call.prompt, call.prompt])).embeddings)


async def cancelled(call: Call) -> str:
    async with Agent(a_model(call)).run_stream(call.prompt) as stream:
        return await joined_later(stream.stream_text(delta=True, debounce_by=None), is_enough)
