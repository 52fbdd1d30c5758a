// openai-node against the gateway: plain, streamed, tools, and running out of credits.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.BASE_URL}/v1`, apiKey: process.env.API_KEY });
const messages = [{ role: "user", content: "[[sim tokens=7 prompt=11]]" }];

const { data, response } = await client.chat.completions
  .create({ model: "demo-chat", messages })
  .withResponse();
assert.equal(data.usage.completion_tokens, 7);
assert.equal(response.headers.get("x-credits-cost"), "0.0078");

const stream = await client.chat.completions.create({
  model: "demo-chat",
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.match(text, /^token 0/);
assert.equal(usage.completion_tokens, 7);
assert.equal(usage.cost, "0.0078");

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } } },
    },
  },
];
const called = await client.chat.completions.create({
  model: "demo-chat",
  messages: [{ role: "user", content: "Weather in Kisumu?" }],
  tools,
});
assert.equal(called.choices[0].message.tool_calls[0].function.name, "get_weather");

const poor = new OpenAI({
  baseURL: `${process.env.BASE_URL}/v1`,
  apiKey: process.env.POOR_KEY,
});
await assert.rejects(
  poor.chat.completions.create({ model: "demo-chat", messages, max_tokens: 100000 }),
  (error) => error.status === 402 && error.code === "insufficient_quota",
);

const listed = [];
for await (const model of client.models.list()) listed.push(model.id);
assert.ok(listed.includes("demo-chat"));
