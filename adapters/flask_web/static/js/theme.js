// Loaded in <head>, before the first paint: a remembered theme must not flash.
(() => {
  const root = document.documentElement;
  const read = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const remembered = read();
  if (remembered === "light" || remembered === "dark") root.dataset.theme = remembered;

  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const theme = isDark() ? "light" : "dark";
        root.dataset.theme = theme;
        try { localStorage.setItem("theme", theme); } catch { /* private mode: it lasts for this page */ }
      });
    }
  });
})();
