// A page that waits for a payment: counts down, and shows the outcome as soon as there is one.

const place = document.querySelector("[data-payment]");
const countdown = place?.querySelector("[data-seconds]");
const ASK_EVERY_MS = 3000;
const REST_MS = 15000;

if (countdown) {
  const end = performance.now() + Number(countdown.dataset.seconds) * 1000;
  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    countdown.textContent = `${left}\u00a0s`;
    // What the page says changes when the time is over.
    if (left === 0) {
      clearInterval(tick);
      location.reload();
    }
  }, 1000);
}

const ask = async () => {
  let pause = ASK_EVERY_MS;
  try {
    const answer = await fetch(place.dataset.payment, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const told = await answer.json();
      // While a form waits for what is asked for, the page stays as it is.
      if (told.status !== "pending" || (told.asks_for ?? "") !== place.dataset.asksFor) {
        location.reload();
        return;
      }
    }
    if (!answer.ok) pause = REST_MS;
  } catch {
    // Offline: the next answer will tell.
    pause = REST_MS;
  }
  setTimeout(ask, pause);
};
if (place) setTimeout(ask, ASK_EVERY_MS);
