"""OpenAI's agents SDK: a tool loop on the Responses protocol, streamed and not."""

import asyncio

from agents import (
    Agent,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from settings import API_KEY, MODEL, POOR_KEY, URL, refused

set_tracing_disabled(disabled=True)
asked = []


@function_tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    asked.append(city)
    return "sunny"


def an_agent(key: str) -> Agent:
    model = OpenAIResponsesModel(MODEL, AsyncOpenAI(base_url=URL, api_key=key))
    return Agent(name="clerk", instructions="Be brief.", model=model, tools=[weather])


async def main() -> None:
    done = await Runner.run(an_agent(API_KEY), "What is the weather in Nairobi?")
    assert done.final_output, done
    assert asked, "the tool was never called"
    stream = Runner.run_streamed(an_agent(API_KEY), "Again, please.")
    assert [event async for event in stream.stream_events()]
    with refused():
        await Runner.run(an_agent(POOR_KEY), "Hello?")


asyncio.run(main())
