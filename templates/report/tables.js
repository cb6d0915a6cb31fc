// The figures of a chart as a table and as CSV, made when they are asked for.
const tables = (function () {
  "use strict";
  const { make } = plots;

  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = ({ times, columns, key = "time_s" }) =>
    [[key, ...columns.map(({ label }) => label)].map(quoted).join(","), ...times.map((at, i) => [at, ...columns.map(({ values }) => values[i] ?? "")].join(","))].join("\n") + "\n";

  function rows({ times, columns, head: first = "At", tell = charting.clock }) {
    const table = make("table", "data");
    const head = table.createTHead().insertRow();
    [first, ...columns.map(({ label }) => label)].forEach((label, i) => {
      const cell = make("th", i ? "n" : "", label);
      cell.scope = "col";
      head.append(cell);
    });
    const body = table.createTBody();
    times.forEach((at, i) => {
      const row = body.insertRow();
      const cell = make("th", "", tell(at));
      cell.scope = "row";
      row.append(cell, ...columns.map(({ values, format }) => make("td", "n", format(values[i]))));
    });
    return table;
  }

  // Below a chart and its key. Figures are { times, columns: [{ label, values, format }] }; where the first
  // column is not of times, `head` and `key` name it, and `tell` says its values.
  function behind(box, title, figures) {
    const details = make("details", "figures");
    const summary = make("summary", "", "Table");
    summary.append(make("span", "hidden", ` of ${title}`));
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (!details.open || details.childElementCount > 1) return;
      const scroll = make("div", "scroll tall");
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "group");
      scroll.setAttribute("aria-label", `Table of ${title}`);
      scroll.append(rows(figures));
      const button = make("button", "copy", "Copy as CSV");
      button.type = "button";
      button.addEventListener("click", () => copying.copy(button, csv(figures)));
      details.append(button, scroll);
    });
    box.parentElement.append(details);
  }

  return { behind };
})();
