// The table of names: sorted, searched, with small charts, and each name opened where it stands.
const names = (function () {
  "use strict";
  const { element, colour, count, ms } = charting;
  const { make } = plots;
  const table = element("names");
  if (!table || !run.names.length) return { open: () => null, close: () => {}, opened: () => [], find: () => -1, listen: () => {} };

  // So many are shown before all are asked for. The rest is put away before anything is laid out.
  const FIRST = 30;
  const { names: all, names_steps: steps } = run;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const isLong = rows.length > FIRST + 10;
  if (isLong) rows.slice(FIRST).forEach((row) => (row.hidden = true));
  const titles = rows.map((row) => row.cells[0].textContent.trim());
  const searched = titles.map((title) => title.toLowerCase());
  const spent = all.map(({ figures }) => figures[0] * (figures[3] ?? 0));
  const whole = spent.reduce((sum, one) => sum + one, 0);
  const times = steps.time_s.map((from, i) => from + steps.seconds[i] / 2);
  const isDrawn = times.length > 1;

  // What the head of each column sorts by: the figures of the page, and what is added here.
  const head = table.tHead.rows[0];
  const by = [(i) => titles[i], ...all[0].figures.map((_, at) => (i) => all[i].figures[at])];

  function added(before, text, name, cell, foot) {
    const th = make("th", name, text);
    th.scope = "col";
    head.insertBefore(th, head.cells[before] ?? null);
    rows.forEach((row, i) => row.insertBefore(cell(i), row.cells[before] ?? null));
    const total = table.tFoot.rows[0];
    total.insertBefore(make("td", name, foot), total.cells[before] ?? null);
    return th;
  }

  // Small charts, drawn when they come into sight.
  const [WIDE, TALL] = [88, 24];
  function spark(canvas, values, name, fails) {
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [WIDE * ratio, TALL * ratio];
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const most = values.reduce((a, b) => Math.max(a, b ?? 0), 0) || 1;
    const x = (i) => 1 + (i / Math.max(1, values.length - 1)) * (WIDE - 2);
    const floor = TALL - 1;
    const y = (value) => floor - (value / most) * (TALL - 3);
    const trace = (points, closed) => {
      ctx.beginPath();
      let from = null;
      points.forEach((value, i) => {
        if (value == null) return (from = null);
        if (from == null) ctx.moveTo(x(i), y(value));
        else ctx.lineTo(x(i), y(value));
        from ??= i;
      });
      if (closed) {
        ctx.lineTo(x(points.length - 1), floor);
        ctx.lineTo(x(0), floor);
      }
    };
    const area = (points, fill) => {
      ctx.fillStyle = fill;
      trace(points, true);
      ctx.fill();
    };
    if (!values.includes(null)) area(values, colour(name) + "22");
    ctx.strokeStyle = colour(name);
    ctx.lineWidth = 1.25;
    ctx.lineJoin = "round";
    trace(values, false);
    ctx.stroke();
    // What is met once has no line to either side.
    ctx.fillStyle = colour(name);
    values.forEach((value, i) => {
      if (value == null || values[i - 1] != null || values[i + 1] != null) return;
      ctx.beginPath();
      ctx.arc(Math.min(Math.max(x(i), 2), WIDE - 2), y(value), 1.75, 0, 2 * Math.PI);
      ctx.fill();
    });
    if (fails) area(fails, colour("failed"));
  }
  const seen = new Set();
  function sparks(i) {
    seen.add(i);
    const { history } = all[i];
    const [requests, response] = rows[i].querySelectorAll("canvas");
    spark(requests, history.requests_per_s, "requests", history.failures_per_s);
    spark(response, history.response_ms_p95, "p95");
  }
  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      sparks(rows.indexOf(target));
    }
  }, { rootMargin: "200px" });
  const again = () => seen.forEach(sparks);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  window.addEventListener("beforeprint", again);
  window.addEventListener("afterprint", again);

  if (isDrawn) {
    const cell = () => {
      const td = make("td", "spark");
      const canvas = make("canvas");
      canvas.setAttribute("aria-hidden", "true");
      td.append(canvas);
      return td;
    };
    added(1, "Requests/s", "spark", cell, "");
    added(2, "p95 over time", "spark", cell, "");
  }
  const SHARE = isDrawn ? 4 : 2;
  const share = (i) => (whole ? spent[i] / whole : 0);
  const percent = (part) => (part > 0 && part < 0.001 ? "<0.1%" : `${part >= 0.0995 || part === 0 ? Math.round(part * 100) : (part * 100).toFixed(1)}%`);
  added(SHARE, "Share of time", "n share", (i) => {
    const td = make("td", "n share", percent(share(i)));
    const bar = make("i", "bar");
    bar.style.setProperty("--part", share(i));
    td.prepend(bar);
    return td;
  }, "").title = "The share of all response time: how often times how long";
  by.splice(SHARE - (isDrawn ? 2 : 0), 0, share);

  // Sorting.
  let order = rows.map((_, i) => i);
  const status = make("span", "dim");
  status.setAttribute("role", "status");
  const sortable = [...head.cells].filter((cell) => !cell.classList.contains("spark"));
  sortable.forEach((cell, column) => {
    const text = cell.textContent;
    const button = make("button", "sort", text);
    button.type = "button";
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      // Names from A, figures from the greatest.
      const rising = cell.getAttribute("aria-sort") ? cell.getAttribute("aria-sort") === "descending" : column === 0;
      sortable.forEach((other) => other.removeAttribute("aria-sort"));
      cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const key = by[column];
      const compare = column === 0
        ? (a, b) => titles[a].localeCompare(titles[b], "en", { numeric: true })
        : (a, b) => (key(a) ?? -1) - (key(b) ?? -1);
      order = rows.map((_, i) => i).sort((a, b) => (rising ? compare(a, b) : compare(b, a)) || a - b);
      arrange();
      body.append(...order.flatMap((i) => (details.has(i) ? [rows[i], details.get(i)] : [rows[i]])));
    });
  });

  // Searching, and showing all of many.
  const tools = element("names-tools");
  const search = make("input");
  const more = make("button", "more");
  let isAll = !isLong;
  let found = () => true;
  function arrange() {
    let [hits, shown] = [0, 0];
    for (const i of order) {
      const is = found(i);
      hits += is;
      const visible = is && (isAll || shown < FIRST || details.has(i));
      shown += visible;
      rows[i].hidden = !visible;
      if (details.has(i)) details.get(i).hidden = !visible;
    }
    more.hidden = isAll || hits <= shown;
    more.textContent = `Show all ${count(hits)} names`;
    status.textContent = hits === rows.length ? `${count(hits)} names` : `${count(hits)} of ${count(rows.length)} names`;
  }
  const details = new Map();
  const heard = [];
  if (rows.length > 5) {
    const label = make("label", "", "Find ");
    search.type = "search";
    search.placeholder = "part of a name";
    search.autocomplete = "off";
    search.spellcheck = false;
    label.append(search);
    search.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter((word) => word);
      found = (i) => words.every((word) => searched[i].includes(word));
      arrange();
    });
    more.type = "button";
    more.addEventListener("click", () => {
      isAll = true;
      arrange();
    });
    tools.append(label, status);
    const below = make("div", "tools below");
    below.append(more);
    table.parentElement.after(below);
  }

  // Opening.
  const scroll = table.parentElement;
  const fit = () => {
    const style = getComputedStyle(scroll);
    scroll.style.setProperty("--seen", `${scroll.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)}px`);
  };
  new ResizeObserver(fit).observe(scroll);
  const buttons = rows.map((row, i) => {
    const cell = row.cells[0];
    const button = make("button", "open");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => (details.has(i) ? close(i) : open(i)));
    if (isDrawn) watch.observe(row);
    return button;
  });

  function close(i) {
    const detail = details.get(i);
    for (const one of [...time.drawn]) {
      if (!detail.contains(one.box)) continue;
      time.drawn.delete(one);
      one.plot.destroy();
    }
    detail.remove();
    details.delete(i);
    rows[i].classList.remove("opened");
    buttons[i].setAttribute("aria-expanded", "false");
    buttons[i].removeAttribute("aria-controls");
    heard.forEach((tell) => tell());
  }

  function open(i) {
    if (!rows[i]) return null;
    if (!details.has(i)) {
      const row = make("tr", "detail");
      const cell = row.insertCell();
      cell.colSpan = head.cells.length;
      row.id = `detail-${i}`;
      rows[i].after(row);
      rows[i].classList.add("opened");
      details.set(i, row);
      const inner = make("div", "inner");
      cell.append(inner);
      named.fill(inner, i, titles[i], times);
      buttons[i].setAttribute("aria-expanded", "true");
      buttons[i].setAttribute("aria-controls", row.id);
    }
    if (!found(i)) {
      search.value = "";
      found = () => true;
    }
    arrange();
    heard.forEach((tell) => tell());
    return rows[i];
  }

  arrange();
  return {
    open,
    close,
    opened: () => [...details.keys()].map((i) => titles[i]),
    find: (title) => titles.indexOf(title),
    listen: (tell) => heard.push(tell),
    button: (i) => buttons[i],
  };
})();
