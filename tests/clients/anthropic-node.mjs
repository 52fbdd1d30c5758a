// Anthropic's SDK for Node.
import Anthropic from "@anthropic-ai/sdk";
import * as given from "./runner.mjs";

const ask = ({ key, prompt }, more = {}, ...parts) =>
  new Anthropic({ baseURL: given.baseURL, apiKey: key }).messages.create({
    model: given.claude,
    max_tokens: 4096,
    messages: [{ role: "user", content: [...parts, { type: "text", text: prompt }] }],
    ...more,
  });
const text = (done) => done.content[0].text;
const base64 = (media_type, data) => ({ type: "base64", media_type, data });

async function* pieces(call) {
  for await (const event of await ask(call, { stream: true })) {
    if (event.type === "content_block_delta") yield event.delta.text;
  }
}

await given.run({
  plain: async (call) => text(await ask(call)),
  streamed: (call) => given.joined(pieces(call)),
  tools: async (call) => {
    const { name, description, parameters } = given.weather;
    const tools = [{ name, description, input_schema: parameters }];
    return (await ask(call, { tools })).content[0].name;
  },
  structured: async (call) => {
    const format = { type: "json_schema", schema: given.place };
    return JSON.parse(text(await ask(call, { output_config: { format } })));
  },
  images: async (call) => {
    const source = base64("image/png", given.picture64);
    return text(await ask(call, {}, { type: "image", source }));
  },
  documents: async (call) => {
    const source = base64("application/pdf", given.document64);
    return text(await ask(call, {}, { type: "document", source }));
  },
  cancelled: (call) => given.joined(pieces(call), given.isEnough),
});
