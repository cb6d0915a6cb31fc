// What is shown of one name: its own charts, where its time goes, how it failed, and its exchanges.
const named = (function () {
  "use strict";
  const { element, count, ms } = charting;
  const { make } = plots;
  const parts = [
    ["connect", "to connect"],
    ["tls", "for TLS"],
    ["first_byte", "to the first byte"],
    ["body", "for the body"],
    ["unanswered", "for answers that never came"],
    ["other", "for the rest: redirects, retries, waiting"],
  ];

  // Where its time goes, in words and as a bar.
  function spent(inner, i) {
    const { spent, figures } = run.names[i];
    const told = parts.map(([part, words]) => [part, words, spent[part + "_ms_avg"] ?? 0]).filter(([, , value]) => value > 0);
    const sum = told.reduce((all, [, , value]) => all + value, 0);
    if (!sum) return;
    const share = (value) => (value / sum < 0.01 ? "<1%" : `${Math.round((value / sum) * 100)}%`);
    const bar = make("div", "spent");
    bar.setAttribute("aria-hidden", "true");
    for (const [part, , value] of told) {
      const piece = make("i");
      piece.style.setProperty("--colour", `var(--part-${part})`);
      piece.style.flexGrow = value / sum;
      bar.append(piece);
    }
    const words = make("p", "parts", `On average it takes ${ms(figures[3])}: `);
    told.forEach(([part, text, value], at) => {
      const one = make("span");
      const sign = make("i", "sign area");
      sign.style.setProperty("--colour", `var(--part-${part})`);
      one.append(sign, make("b", "", ms(value)), ` ${text} (${share(value)})${at < told.length - 1 ? ", " : "."}`);
      words.append(one, " ");
    });
    inner.append(words, bar);
  }

  function charts(inner, i, title, times) {
    if (times.length < 2) return;
    const { history, figures } = run.names[i];
    const grid = make("div", "charts");
    inner.append(grid);
    const failed = history.failures_per_s ?? history.requests_per_s.map(() => 0);
    const highest = (values) => ms(values.reduce((a, b) => Math.max(a, b ?? 0), 0));
    const both = [
      ["Response time", `at its highest p50 was ${highest(history.response_ms_p50)}, p99 ${highest(history.response_ms_p99)}`, { format: ms, fills: [[1, 0, "fill-inner"], [2, 1, "fill-outer"]], series: [
        { label: "p50", values: history.response_ms_p50, colour: "p50" },
        { label: "p95", values: history.response_ms_p95, colour: "p95" },
        { label: "p99", values: history.response_ms_p99, colour: "p99" } ] }],
      ["Requests per second", `${count(figures[0])} requests, ${count(figures[1])} failed`, { format: count, stacked: true, series: [
        { label: "failed", values: failed, colour: "failed", few: true },
        { label: "succeeded", values: history.requests_per_s.map((all, at) => Math.max(0, all - failed[at])), colour: "requests", fill: true } ] }],
    ];
    for (const [caption, words, chart] of both) {
      const figure = make("figure");
      const box = make("div", "chart small");
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `Chart, ${title}, ${caption.toLowerCase()}: ${words}`);
      figure.append(make("figcaption", "", caption), box);
      grid.append(figure);
      plots.draw({ times, ...chart }, box, () => 160);
      tables.behind(box, `${caption} of ${title}`, { times: run.names_steps.time_s, columns: chart.series.map((one) => ({ format: chart.format, ...one })) });
    }
  }

  function lead(inner, title, list) {
    const part = make("div");
    part.append(make("h3", "", title), list);
    inner.append(part);
  }

  // The rows of the failures that lead to this name.
  function failures(inner, i) {
    const links = element("h-failures")?.parentElement.querySelectorAll(`td > a[href="#name-${i}"]`) ?? [];
    if (!links.length) return;
    const list = make("ul", "leads");
    for (const link of links) {
      const row = link.closest("tr");
      const head = row.querySelector("th") ?? row.closest("details").querySelector("summary .error");
      const error = head.firstChild.textContent.trim();
      const told = (row.querySelector("th") ? row : element(row.closest("details").dataset.error)).querySelector("th > .told");
      row.id ||= `failure-${i}-${list.childElementCount}`;
      const item = make("li");
      const to = make("a", "", error);
      to.href = `#${row.id}`;
      item.append(make("b", "bad", row.cells[0].textContent), " ", to);
      if (told) {
        const advice = make("small");
        advice.append(...told.cloneNode(true).childNodes);
        item.append(" ", advice);
      }
      list.append(item);
    }
    lead(inner, "How it failed", list);
  }

  function exchanges(inner, i) {
    const kept = document.querySelectorAll(`.exchange[data-name="${i}"]`);
    if (!kept.length) return;
    const list = make("ul", "leads");
    kept.forEach((one) => {
      const text = one.querySelector("summary small").textContent;
      const to = make("a", "", /^\d/.test(text) ? `one of the slowest, ${text}` : text);
      to.href = `#${one.id}`;
      const item = make("li");
      item.append(to);
      list.append(item);
    });
    lead(inner, "Evidence", list);
  }

  function fill(inner, i, title, times) {
    spent(inner, i);
    charts(inner, i, title, times);
    const below = make("div", "charts");
    failures(below, i);
    exchanges(below, i);
    if (below.childElementCount) inner.append(below);
  }

  return { fill };
})();
