"""pydantic-ai: plain, streamed, a tool and structured output, on both protocols of OpenAI."""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from settings import API_KEY, MODEL, POOR_KEY, URL, refused


class Place(BaseModel):
    """A place on the map."""

    city: str


def provider(key: str) -> OpenAIProvider:
    return OpenAIProvider(base_url=URL, api_key=key)


async def main() -> None:
    for kind in (OpenAIChatModel, OpenAIResponsesModel):
        agent = Agent(kind(MODEL, provider=provider(API_KEY)))
        assert (await agent.run("Say hello")).output
        async with agent.run_stream("Say hello") as stream:
            assert await stream.get_output()
    asked = []
    model = OpenAIChatModel(MODEL, provider=provider(API_KEY))
    teller = Agent(model)

    @teller.tool_plain
    def weather(city: str) -> str:
        """Tell the weather."""
        asked.append(city)
        return "sunny"

    assert (await teller.run("What is the weather in Nairobi?")).output
    assert asked, "the tool was never called"
    placed = await Agent(model, output_type=Place).run("Nairobi")
    assert isinstance(placed.output, Place)
    with refused():
        await Agent(OpenAIChatModel(MODEL, provider=provider(POOR_KEY))).run("Hello?")


asyncio.run(main())
