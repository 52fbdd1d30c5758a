// The playground streams answers into this page, and asks the server for every figure it shows:
// nothing is priced here. Without this script the form is answered as a whole.

const form = document.getElementById("playground");

const QUOTE_AFTER_MS = 500;
const LOOK_AGAIN_MS = 300;
const LOOKS = 40;

/** Read server-sent events: yields the text of each `data:` line. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice(6).trim();
  }
}

const made = (name, className, text = "") => {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
};

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

class Talk {
  /** One model's side of the conversation. Its messages live here and nowhere else. */
  constructor(model, send) {
    this.model = model;
    this.send = send;
    this.messages = [];
    this.place = made("section", "pane card");
    this.place.setAttribute("aria-label", `Conversation with ${model}`);
    this.place.append(made("h3", "pane__model", model));
  }

  say(who, text, isYou = false) {
    const said = made("div", isYou ? "said said--you" : "said");
    const words = made("div", "said__text", text);
    said.append(made("p", "said__who", who), words);
    this.place.append(said);
    return { said, words };
  }

  async ask(prompt, settings, leaving) {
    this.say("You", prompt, true);
    const { said, words } = this.say(this.model, "");
    const cost = made("p", "said__cost", "Waiting for the first word\u2026");
    cost.setAttribute("role", "status");
    said.append(cost);
    said.classList.add("is-coming");
    const messages = [...this.messages, { role: "user", content: prompt }];
    const began = performance.now();
    let callId = "", fault = "", pieces = 0, first = null;
    try {
      callId = (await (await this.send("name", {})).json()).call_id;
      const answer = await this.send(
        "run", { ...settings, model: this.model, messages, call_id: callId }, leaving.signal,
      );
      if (!answer.ok) throw new Error((await answer.json()).error.message);
      for await (const data of events(answer.body)) {
        if (data === "[DONE]") break;
        const chunk = JSON.parse(data);
        if (chunk.error) fault = chunk.error.message;
        const text = chunk.choices?.[0]?.delta?.content;
        if (!text) continue;
        first ??= Math.round(performance.now() - began);
        pieces += 1;
        words.append(text);
        cost.textContent = `About ${pieces} tokens; the first after ${first} ms`;
      }
    } catch (error) {
      if (error.name !== "AbortError") fault = error.message || "The connection broke off.";
    }
    said.classList.remove("is-coming");
    if (fault) {
      cost.classList.add("is-fault");
      cost.textContent = fault;
    }
    if (words.textContent) {
      this.messages = [...messages, { role: "assistant", content: words.textContent }];
    }
    if (callId) await this.tell(callId, cost, fault, leaving.signal.aborted);
  }

  /** Say what the call cost, as soon as it is settled. */
  async tell(callId, place, fault, wasStopped) {
    for (let look = 0; look < LOOKS; look += 1) {
      const answer = await fetch(`${location.pathname}/calls/${encodeURIComponent(callId)}`);
      // It never began: nothing was held, and the reason stands there already.
      if (answer.status === 404) return;
      const call = answer.ok ? await answer.json() : null;
      if (call?.ended) {
        const tokens = call.completion_tokens === null
          ? "" : `${call.prompt_tokens} tokens in, ${call.completion_tokens} out. `;
        const speed = call.first_byte_ms === null ? "" : `First byte after ${call.first_byte_ms} ms. `;
        const word = wasStopped ? "Stopped; it cost" : "Cost";
        place.textContent = `${fault ? `${fault} ` : ""}${word} ${call.cost}. ${tokens}${speed}`;
        const link = made("a", "", "Receipt");
        link.href = call.receipt;
        place.append(link);
        return;
      }
      await pause(LOOK_AGAIN_MS);
    }
    place.textContent = "It is not settled yet: look under Calls in a moment.";
  }
}

function start() {
  const token = form.elements.csrf_token.value;
  const panes = document.getElementById("panes");
  const beside = document.getElementById("beside");
  const quote = document.getElementById("at-most");
  const [sendButton, stopButton, clearButton] = ["send", "stop", "clear"].map(
    (name) => form.querySelector(`[data-${name}]`),
  );
  const isPaused = sendButton.disabled;
  let talks = [], leaving = null;

  const settings = () => Object.fromEntries(
    ["system", "max_tokens", "temperature"].map((name) => [name, form.elements[name].value]),
  );
  const models = () => [...new Set([form.elements.model.value, beside.value])].filter(Boolean);
  const send = (what, said, signal) => fetch(form.dataset[what], {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    body: JSON.stringify(said),
    signal,
  });

  for (const part of form.querySelectorAll("[data-needs-script]")) part.hidden = false;
  for (const part of form.querySelectorAll("[data-without-script]")) part.hidden = true;

  /** Begin anew for models that were not talked to before; the others go on. */
  const arrange = () => {
    const before = new Map(talks.map((talk) => [talk.model, talk]));
    talks = models().map((model) => before.get(model) ?? new Talk(model, send));
    panes.replaceChildren(...talks.map((talk) => talk.place));
  };

  let timer = 0, asking = new AbortController();
  const askQuote = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const prompt = form.elements.prompt.value;
    if (!prompt.trim()) { quote.textContent = ""; return; }
    try {
      const all = await Promise.all(models().map(async (model) => {
        const earlier = talks.find((talk) => talk.model === model)?.messages ?? [];
        const messages = [...earlier, { role: "user", content: prompt }];
        const answer = await send("quote", { ...settings(), model, messages }, signal);
        return { model, said: await answer.json(), ok: answer.ok };
      }));
      if (signal.aborted) return;
      const fault = all.find((each) => !each.ok || each.said.refusal);
      quote.textContent = fault
        ? fault.said.refusal || fault.said.error.message
        : `At most ${all.map((each) => each.said.at_most).join(" and ")}: so much is set aside until the cost is known.`;
      const { code } = all[0].said;
      for (const [name, text] of Object.entries(code ?? {})) {
        document.getElementById(`as-${name}`).textContent = text;
      }
    } catch {
      // Overtaken by another letter, or offline: sending says what is wrong.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(askQuote, QUOTE_AFTER_MS);
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const prompt = form.elements.prompt.value;
    if (leaving || isPaused || !prompt.trim()) return;
    arrange();
    leaving = new AbortController();
    form.elements.prompt.value = "";
    quote.textContent = "";
    sendButton.disabled = true;
    stopButton.hidden = false;
    await Promise.all(talks.map((talk) => talk.ask(prompt, settings(), leaving)));
    leaving = null;
    sendButton.disabled = isPaused;
    stopButton.hidden = true;
    delete form.dataset.sent;
    form.elements.prompt.focus();
  });
  stopButton.addEventListener("click", () => leaving?.abort());
  clearButton.addEventListener("click", () => {
    if (leaving) return;
    talks = [];
    arrange();
    form.elements.prompt.focus();
  });
  form.elements.prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  askQuote();
}

if (form) start();
