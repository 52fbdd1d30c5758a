// The Vercel AI SDK against the gateway: text, a stream, and a tool.
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText, tool } from "ai";
import { z } from "zod";

const gateway = createOpenAICompatible({
  name: "creditcore",
  baseURL: `${process.env.BASE_URL}/v1`,
  apiKey: process.env.API_KEY,
  includeUsage: true,
});
const model = gateway("demo-chat");

const plain = await generateText({ model, prompt: "[[sim tokens=7 prompt=11]]" });
assert.match(plain.text, /^token 0/);
assert.equal(plain.usage.outputTokens, 7);

const stream = streamText({ model, prompt: "[[sim tokens=9 prompt=11]]" });
let text = "";
for await (const part of stream.textStream) text += part;
assert.match(text, /token 8/);
assert.equal((await stream.usage).outputTokens, 9);

const called = await generateText({
  model,
  prompt: "Weather in Kisumu?",
  tools: {
    get_weather: tool({
      description: "The weather of a city",
      inputSchema: z.object({ city: z.string().optional() }),
      execute: async () => "sunny",
    }),
  },
});
assert.equal(called.toolCalls[0].toolName, "get_weather");
