// OpenAI's SDK for Node, on chat.
import OpenAI from "openai";
import * as given from "./runner.mjs";

const aClient = ({ key }) => new OpenAI({ baseURL: given.url, apiKey: key });
const ask = (call, more = {}, ...parts) =>
  aClient(call).chat.completions.create({
    model: given.model,
    messages: [{ role: "user", content: [{ type: "text", text: call.prompt }, ...parts] }],
    ...more,
  });
const text = (done) => done.choices[0].message.content;
const wanted = {
  type: "json_schema",
  json_schema: { name: "place", schema: given.place, strict: true },
};
const picture = { url: `data:image/png;base64,${given.picture64}` };
const file = {
  filename: "a.pdf",
  file_data: `data:application/pdf;base64,${given.document64}`,
};

async function* pieces(call) {
  for await (const chunk of await ask(call, { stream: true })) {
    yield chunk.choices[0]?.delta?.content;
  }
}

await given.run({
  plain: async (call) => text(await ask(call)),
  streamed: (call) => given.joined(pieces(call)),
  tools: async (call) => {
    const tools = [{ type: "function", function: given.weather }];
    return (await ask(call, { tools })).choices[0].message.tool_calls[0].function.name;
  },
  structured: async (call) => JSON.parse(text(await ask(call, { response_format: wanted }))),
  images: async (call) => text(await ask(call, {}, { type: "image_url", image_url: picture })),
  documents: async (call) => text(await ask(call, {}, { type: "file", file })),
  embeddings: async (call) => {
    const asked = { model: given.embedding, input: [call.prompt, call.prompt] };
    return (await aClient(call).embeddings.create(asked)).data.length;
  },
  made_images: async (call) => {
    const asked = { model: given.painter, prompt: call.prompt };
    return (await aClient(call).images.generate(asked)).data.length;
  },
  speech: async (call) => {
    const asked = { model: given.speaker, voice: "alloy", input: call.prompt };
    return (await (await aClient(call).audio.speech.create(asked)).arrayBuffer()).byteLength > 0;
  },
  cancelled: (call) => given.joined(pieces(call), given.isEnough),
});
