// Runs what a client can do, each with a key and a prompt of its own, and writes down how it went.
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";

export const baseURL = process.env.BASE_URL;
export const url = `${baseURL}/v1`;
export const model = "gpt-4o";
export const claude = "claude-sonnet-4-5";
export const embedding = "demo-embedding";
export const painter = "dall-e-3";
export const speaker = "tts-1";
export const picture64 = process.env.PICTURE;
export const document64 = process.env.DOCUMENT;
export const picture = Buffer.from(picture64, "base64");
export const document = Buffer.from(document64, "base64");
export const place = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const weather = {
  name: "weather",
  description: "Tell the weather in a city.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

// Plain calls that fail, and the status that the client is to tell.
const refused = { out_of_credits: 402, revoked: 401, upstream_429: 429, upstream_500: 502 };

// Whether so much of a stream was read that it is given up.
export const isEnough = (text) => text.includes("token 4");

// Read a stream of pieces to its end, or as far as wanted.
export async function joined(pieces, isRead = () => false) {
  let text = "";
  for await (const piece of pieces) {
    text += piece ?? "";
    if (isRead(text)) break;
  }
  return text;
}

// Run the cases that the environment asks for; what each returns is reported.
export async function run(cases) {
  for (const [name, call] of Object.entries(JSON.parse(process.env.CASES))) {
    const outcome = await tried(cases, name, call);
    appendFileSync(process.env.REPORT, `${JSON.stringify({ case: name, ...outcome })}\n`);
  }
}

async function tried(cases, name, call) {
  try {
    if (!(name in refused)) return { said: await cases[name](call) };
    await assert.rejects(cases.plain(call), (error) => tells(error, refused[name]));
    return { said: null };
  } catch (error) {
    return { failed: error.stack };
  }
}

// Whether an error has a status, or one of those that a client wraps it in.
function tells(error, status) {
  for (let cause = error; cause; cause = cause.lastError ?? cause.cause)
    if ((cause.status ?? cause.statusCode) === status) return true;
  throw error;
}
