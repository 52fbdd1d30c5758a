// Plays the terminal of the landing page once, in under five seconds, then leaves it
// still. The text is in the page from the start; this only uncovers it.
(() => {
  const terminal = document.querySelector("[data-terminal]");
  if (!terminal || matchMedia("(prefers-reduced-motion: reduce)").matches) return;

  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
  const steps = [...terminal.querySelectorAll("[data-step]")];

  // Cover what is not written yet without moving anything: the room stays taken.
  const cover = () => {
    terminal.classList.add("is-typing");
    for (const step of steps) {
      if (step.dataset.step === "line") {
        step.classList.add("is-unwritten");
        continue;
      }
      const rest = document.createElement("span");
      rest.className = "is-unwritten";
      rest.textContent = step.textContent;
      step.replaceChildren(document.createTextNode(""), rest);
    }
  };

  const type = async (step) => {
    const [written, rest] = step.childNodes;
    const text = rest.textContent;
    for (let at = 0; at < text.length; at += 3) {
      written.data = text.slice(0, at + 3);
      rest.textContent = text.slice(at + 3);
      await pause(22);
    }
    rest.remove();
  };

  const play = async () => {
    for (const step of steps) {
      if (step.dataset.step === "type") {
        await type(step);
      } else {
        await pause(260);
        step.classList.remove("is-unwritten");
      }
    }
    await pause(300);
    terminal.classList.remove("is-typing");
  };

  cover();
  play();
})();
