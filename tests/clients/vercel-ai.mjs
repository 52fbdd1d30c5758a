// The Vercel AI SDK, with the package that its argument names: openai, openai-compatible or anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  Output,
  embedMany,
  generateImage,
  generateSpeech,
  generateText,
  isStepCount,
  jsonSchema,
  streamText,
  tool,
} from "ai";
import * as given from "./runner.mjs";

const baseURL = given.url;
const provider = {
  openai: ({ key }) => createOpenAI({ baseURL, apiKey: key }),
  anthropic: ({ key }) => createAnthropic({ baseURL, apiKey: key }),
  "openai-compatible": ({ key }) =>
    createOpenAICompatible({
      name: "creditcore",
      baseURL,
      apiKey: key,
      supportsStructuredOutputs: true,
    }),
}[process.argv[2]];
const model = process.argv[2] === "anthropic" ? given.claude : given.model;

// Nothing is stored here: a second turn must bring everything itself.
const asked = (call, more = {}, ...parts) => ({
  model: provider(call)(model),
  messages: [{ role: "user", content: [{ type: "text", text: call.prompt }, ...parts] }],
  providerOptions: { openai: { store: false } },
  ...more,
});
const file = (mediaType, data) => ({ type: "file", mediaType, data });

async function cancelled(call) {
  const leaving = new AbortController();
  const stream = streamText(asked(call, { abortSignal: leaving.signal, onError() {} }));
  const text = await given.joined(stream.textStream, given.isEnough);
  leaving.abort();
  return text;
}

await given.run({
  plain: async (call) => (await generateText(asked(call))).text,
  streamed: (call) => given.joined(streamText(asked(call)).textStream),
  tools: async (call) => {
    const weather = tool({
      description: given.weather.description,
      inputSchema: jsonSchema(given.weather.parameters),
      execute: async () => "sunny",
    });
    const more = { tools: { weather }, stopWhen: isStepCount(2) };
    const done = await generateText(asked(call, more));
    return done.steps[0].toolCalls[0].toolName;
  },
  structured: async (call) => {
    const output = Output.object({ schema: jsonSchema(given.place) });
    return (await generateText(asked(call, { output }))).output;
  },
  images: async (call) =>
    (await generateText(asked(call, {}, file("image/png", given.picture)))).text,
  documents: async (call) =>
    (await generateText(asked(call, {}, file("application/pdf", given.document)))).text,
  embeddings: async (call) => {
    const values = [call.prompt, call.prompt];
    const asking = provider(call).embeddingModel(given.embedding);
    return (await embedMany({ model: asking, values })).embeddings.length;
  },
  made_images: async (call) => {
    const asking = provider(call).imageModel(given.painter);
    return (await generateImage({ model: asking, prompt: call.prompt })).images.length;
  },
  speech: async (call) => {
    const asking = provider(call).speechModel(given.speaker);
    return (await generateSpeech({ model: asking, text: call.prompt })).audio.uint8Array.length > 0;
  },
  cancelled,
});
