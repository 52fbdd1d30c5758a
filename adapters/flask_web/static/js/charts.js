// What stands under the pointer, said beneath its chart. The table under it says the same.
for (const chart of document.querySelectorAll("[data-chart]")) {
  const said = chart.querySelector("[data-chart-said]");
  const columns = [...chart.querySelectorAll(".chart__column")];
  const titles = columns.map((column) => {
    const title = column.querySelector("title");
    // The browser would show its own as well, late and small.
    const text = title.textContent;
    title.remove();
    return text;
  });
  let met = null;
  const meet = (column) => {
    if (column === met) return;
    met?.classList.remove("is-met");
    met = column;
    met?.classList.add("is-met");
    said.textContent = met ? titles[columns.indexOf(met)] : "";
  };
  chart.addEventListener("pointermove", (event) => meet(event.target.closest(".chart__column")));
  chart.addEventListener("pointerleave", () => meet(null));
}
