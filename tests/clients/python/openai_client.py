"""OpenAI's SDK for Python, on chat."""

import json

from openai import OpenAI
from runner import (
    DOCUMENT_64,
    EMBEDDING,
    MODEL,
    PAINTER,
    PICTURE_64,
    SPEAKER,
    TOOL,
    URL,
    Call,
    Place,
    is_enough,
    run,
)


def a_client(call: Call) -> OpenAI:
    return OpenAI(base_url=URL, api_key=call.key)


def ask(call: Call, *parts: dict, **fields: object) -> object:
    content = [{"type": "text", "text": call.prompt}, *parts]
    return a_client(call).chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": content}], **fields
    )


def plain(call: Call) -> str:
    return ask(call).choices[0].message.content


def streamed(call: Call) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in ask(call, stream=True))


def tools(call: Call) -> str:
    done = ask(call, tools=[{"type": "function", "function": TOOL}])
    return done.choices[0].message.tool_calls[0].function.name


def structured(call: Call) -> dict:
    done = a_client(call).chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": call.prompt}],
        response_format=Place,
    )
    assert json.loads(done.choices[0].message.content)
    return done.choices[0].message.parsed.model_dump()


def images(call: Call) -> str:
    picture = {"url": f"data:image/png;base64,{PICTURE_64}"}
    return ask(call, {"type": "image_url", "image_url": picture}).choices[0].message.content


def documents(call: Call) -> str:
    file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{DOCUMENT_64}"}
    return ask(call, {"type": "file", "file": file}).choices[0].message.content


def embeddings(call: Call) -> int:
    return len(
        a_client(call).embeddings.create(model=EMBEDDING, input=[call.prompt, call.prompt]).data
    )


def made_images(call: Call) -> int:
    return len(a_client(call).images.generate(model=PAINTER, prompt=call.prompt).data)


def speech(call: Call) -> bool:
    asked = {"model": SPEAKER, "voice": "alloy", "input": call.prompt}
    return bool(a_client(call).audio.speech.create(**asked).content)


def cancelled(call: Call) -> str:
    text = ""
    with ask(call, stream=True) as stream:
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
            if is_enough(text):
                break
    return text


run(
    plain=plain,
    streamed=streamed,
    tools=tools,
    structured=structured,
    images=images,
    documents=documents,
    embeddings=embeddings,
    made_images=made_images,
    speech=speech,
    cancelled=cancelled,
)
