// Small comforts. Every page works without them.

// Copy buttons.
for (const button of document.querySelectorAll("[data-copy]")) {
  const word = button.querySelector("[data-copy-word]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      word.textContent = "Copied";
    } catch {
      // No clipboard outside HTTPS and localhost: select the text, so that one keystroke copies it.
      getSelection().selectAllChildren(source);
      word.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { word.textContent = "Copy"; }, 2000);
  });
}

// Print buttons.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Show and hide a password.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", shown ? "Hide password, now shown" : "Show password, now hidden");
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers only offer to remember what is submitted as a password.
  input.form.addEventListener("submit", () => show(false));
}

// The zone of this device, for days that begin at midnight where its owner is.
for (const field of document.querySelectorAll("[data-timezone]")) {
  field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

// What is wrong with a form is seen and read first, also where the form is far down the page.
document.querySelector("[data-focus]")?.focus();

// Typing another amount chooses it.
const other = document.getElementById("amount-other");
const typed = document.getElementById("custom_usd");
typed?.addEventListener("input", () => { other.checked = true; });
other?.addEventListener("change", () => typed.focus());

// What another amount costs. The server says it: nothing is computed here.
const price = document.getElementById("typed-price");
if (price) {
  let question = new AbortController();
  const ask = async () => {
    question.abort();
    question = new AbortController();
    const { signal } = question;
    const amount = typed.value;
    price.textContent = "";
    if (!/^[0-9]+$/.test(amount) || !typed.validity.valid) return;
    try {
      const answer = await fetch(`${price.dataset.quote}&amount_usd=${amount}`, { signal });
      // Another amount may have been typed by the time that it is read.
      const summary = answer.ok ? (await answer.json()).summary : "";
      if (!signal.aborted) price.textContent = summary;
    } catch {
      // Left, overtaken or offline: the rate beside the field says how the price is made.
    }
  };
  typed.addEventListener("input", ask);
}

// One open menu at a time; Escape closes it and gives the focus back.
const menus = [...document.querySelectorAll("details.confirm, details.menu")];
const close = (menu) => { menu.open = false; };
document.addEventListener("click", (event) => {
  for (const menu of menus) if (menu.open && !menu.contains(event.target)) close(menu);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus) {
    if (!menu.open) continue;
    close(menu);
    menu.querySelector("summary").focus();
  }
});

// A submitted form is not submitted twice by an impatient finger.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
// Coming back with the back button must find the forms usable again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A page about something that is not decided yet looks again by itself, ten times at most.
const waiting = document.querySelector("[data-reload-after]");
if (waiting) {
  const counter = `reloads:${location.pathname}${location.search}`;
  const count = Number(sessionStorage.getItem(counter) ?? 0);
  if (count < 10) {
    setTimeout(() => {
      sessionStorage.setItem(counter, String(count + 1));
      location.reload();
    }, Number(waiting.dataset.reloadAfter));
  }
}

// A button that works again after a while says how long that is.
for (const button of document.querySelectorAll("[data-wait-s]")) {
  const left = button.querySelector("[data-wait-left]");
  const ready = Date.now() + Number(button.dataset.waitS) * 1000;
  const tick = () => {
    const seconds = Math.ceil((ready - Date.now()) / 1000);
    button.disabled = seconds > 0;
    left.textContent = seconds > 0 ? ` in ${seconds} s` : "";
    if (seconds > 0) setTimeout(tick, 500);
  };
  tick();
}
