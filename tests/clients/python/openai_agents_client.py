"""OpenAI's agents SDK, on the Responses protocol."""

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from given import (
    DOCUMENT_URL,
    MODEL,
    PICTURE_URL,
    URL,
    Call,
    Place,
    is_enough,
    joined_later,
    weather,
)
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent

set_tracing_disabled(disabled=True)


def an_agent(call: Call, **more: object) -> Agent:
    model = OpenAIResponsesModel(MODEL, AsyncOpenAI(base_url=URL, api_key=call.key))
    return Agent(name="clerk", instructions="Be brief.", model=model, **more)


async def ask(call: Call, *parts: dict, **more: object) -> object:
    content = [{"type": "input_text", "text": call.prompt}, *parts]
    asked = [{"role": "user", "content": content}]
    return (await Runner.run(an_agent(call, **more), asked)).final_output


async def plain(call: Call) -> str:
    return await ask(call)


async def streamed(call: Call) -> str:
    return await joined_later(pieces(Runner.run_streamed(an_agent(call), call.prompt)))


async def pieces(running: object) -> object:
    async for event in running.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
            yield event.data.delta


async def tools(call: Call) -> str:
    asked = []

    @function_tool(name_override="weather")
    def noted(city: str) -> str:
        """Tell the weather in a city."""
        asked.append("weather")
        return weather(city)

    assert await ask(call, tools=[noted])
    return asked[0]


async def structured(call: Call) -> dict:
    return (await ask(call, output_type=Place)).model_dump()


async def images(call: Call) -> str:
    return await ask(call, {"type": "input_image", "image_url": PICTURE_URL, "detail": "auto"})


async def documents(call: Call) -> str:
    file = {"filename": "a.pdf", "file_data": DOCUMENT_URL}
    return await ask(call, {"type": "input_file", **file})


async def cancelled(call: Call) -> str:
    running = Runner.run_streamed(an_agent(call), call.prompt)
    text = await joined_later(pieces(running), is_enough)
    running.cancel()
    return text
