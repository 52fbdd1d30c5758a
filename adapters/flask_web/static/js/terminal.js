// Plays the terminal of the landing page once it is seen, in under five seconds, then leaves it
// still. It can be paused and played again. The text is in the page from the start; this only
// uncovers it. Who wants no motion gets it still, and no button.
(() => {
  const terminal = document.querySelector("[data-terminal]");
  if (!terminal || matchMedia("(prefers-reduced-motion: reduce)").matches) return;

  const button = terminal.querySelector("[data-terminal-play]");
  const steps = [...terminal.querySelectorAll("[data-step]")];
  let isPaused = false, isPlaying = false, goOn = () => {};

  const pause = async (ms) => {
    await new Promise((done) => { setTimeout(done, ms); });
    if (isPaused) await new Promise((done) => { goOn = done; });
  };
  const say = (word) => { button.textContent = word; };

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
    isPlaying = true;
    say("Pause");
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
    isPlaying = false;
    say("Play again");
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    if (!isPlaying) {
      cover();
      play();
      return;
    }
    isPaused = !isPaused;
    say(isPaused ? "Go on" : "Pause");
    if (!isPaused) goOn();
  });

  cover();
  const watcher = new IntersectionObserver((seen) => {
    if (!seen.some((each) => each.isIntersecting)) return;
    watcher.disconnect();
    play();
  }, { threshold: 0.3 });
  watcher.observe(terminal);
})();
