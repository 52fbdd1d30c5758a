"""The litellm SDK as a client."""

import json

import litellm
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


def ask(call: Call, *parts: dict, **fields: object) -> object:
    content = [{"type": "text", "text": call.prompt}, *parts]
    return litellm.completion(
        f"openai/{MODEL}",
        [{"role": "user", "content": content}],
        api_base=URL,
        api_key=call.key,
        **fields,
    )


def plain(call: Call) -> str:
    return ask(call).choices[0].message.content


def streamed(call: Call) -> str:
    return "".join(part.choices[0].delta.content or "" for part in ask(call, stream=True))


def tools(call: Call) -> str:
    done = ask(call, tools=[{"type": "function", "function": TOOL}])
    return done.choices[0].message.tool_calls[0].function.name


def structured(call: Call) -> dict:
    return json.loads(ask(call, response_format=Place).choices[0].message.content)


def images(call: Call) -> str:
    picture = {"url": f"data:image/png;base64,{PICTURE_64}"}
    return ask(call, {"type": "image_url", "image_url": picture}).choices[0].message.content


def documents(call: Call) -> str:
    file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{DOCUMENT_64}"}
    return ask(call, {"type": "file", "file": file}).choices[0].message.content


def embeddings(call: Call) -> int:
    done = litellm.embedding(
        f"openai/{EMBEDDING}", input=[call.prompt, call.prompt], api_base=URL, api_key=call.key
    )
    return len(done.data)


def made_images(call: Call) -> int:
    done = litellm.image_generation(
        call.prompt, model=f"openai/{PAINTER}", api_base=URL, api_key=call.key
    )
    return len(done.data)


def speech(call: Call) -> bool:
    asked = {"model": f"openai/{SPEAKER}", "voice": "alloy", "input": call.prompt}
    return bool(litellm.speech(**asked, api_base=URL, api_key=call.key).content)


def cancelled(call: Call) -> str:
    text = ""
    for part in ask(call, stream=True):
        text += part.choices[0].delta.content or ""
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
