// The one time that all charts of the report show: which part of the run, and where the cursor stands.
const run = JSON.parse(document.getElementById("data").textContent);

const time = (function () {
  "use strict";
  const { history } = run;
  const last = history.time_s.length - 1;
  // A part of a run begins where it began.
  const begin = history.time_s[0] ?? 0;
  const until = Math.max(begin + 1, last < 0 ? 0 : history.time_s[last] + history.seconds[last]);
  // Closer than two points there is nothing more to see.
  const least = Math.min(until - begin, Math.max(1, 2 * (history.step_s || 1)));
  const shown = { from: begin, to: until };
  const drawn = new Set();
  const heard = [];
  let marked = null;

  const whole = () => shown.from <= begin && shown.to >= until;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  function show(from, to) {
    const span = clamp(to - from, least, until - begin);
    const middle = (from + to) / 2;
    shown.from = clamp(middle - span / 2, begin, until - span);
    shown.to = shown.from + span;
    for (const { plot } of drawn) {
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      plot.setScale("x", { min: shown.from, max: shown.to });
    }
    heard.forEach((tell) => tell());
  }

  // A part of the run with some of what is around it, marked until another part is chosen.
  function visit(from, to) {
    marked = [from, to ?? until];
    const around = Math.max((marked[1] - from) * 0.3, 3 * (history.step_s || 1));
    show(from - around, marked[1] + around);
  }

  const reset = () => {
    marked = null;
    show(begin, until);
  };

  // Which part is shown, none when all is, and the way back to it.
  const plain = () => whole() && !marked;
  const part = () => (plain() ? null : { from: shown.from, to: shown.to, marked });
  function restore(part) {
    if (!part) return reset();
    marked = part.marked;
    show(part.from, part.to);
  }

  // Twice as close or as wide, around the cursor or the middle.
  function closer(factor) {
    const at = cursor() ?? (shown.from + shown.to) / 2;
    const span = (shown.to - shown.from) / factor;
    const share = (at - shown.from) / (shown.to - shown.from);
    show(at - span * share, at + span * (1 - share));
  }

  let at = null;
  // The chart that the pointer is in, until keys take the cursor from it.
  let under = null;
  const cursor = () => at;
  function point(seconds) {
    [at, under] = [seconds, null];
    for (const { plot } of drawn) {
      plot.setCursor(at == null ? { left: -10, top: -10 } : { left: plot.valToPos(at, "x"), top: 0 }, true, false);
    }
  }

  // What dragging over a chart chooses is heard from each chart that shows it: the first is the one.
  let choosing = false;
  function chosen(plot) {
    const { left, width } = plot.select;
    if (choosing || width < 4) return;
    choosing = true;
    queueMicrotask(() => (choosing = false));
    marked = null;
    show(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  const options = {
    cursor: {
      sync: { key: "run" },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      y: false,
      points: { size: 7 },
    },
    scale: { time: false, range: () => [shown.from, shown.to] },
    hooks: {
      setSelect: [chosen],
      setCursor: [(u) => {
        // Where the pointer of this chart is, keys go on.
        if (under === u && u.cursor.left >= 0) at = u.posToVal(u.cursor.left, "x");
      }],
      ready: [(u) => {
        u.over.addEventListener("dblclick", reset);
        // Before the chart itself hears of it.
        u.root.addEventListener("mousemove", () => (under = u), { capture: true });
      }],
    },
  };

  // The keys of a chart whose points stand at these times.
  function keys(box, times, words) {
    const next = (step) => {
      const visible = times.map((_, i) => i).filter((i) => times[i] >= shown.from && times[i] <= shown.to);
      if (!visible.length) return null;
      if (step === -Infinity) return visible[0];
      if (step === Infinity) return visible.at(-1);
      if (at == null) return step > 0 ? visible[0] : visible.at(-1);
      let near = 0;
      times.forEach((one, i) => (near = Math.abs(one - at) < Math.abs(times[near] - at) ? i : near));
      return clamp(near + step, visible[0], visible.at(-1));
    };
    const steps = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    const reading = charting.element("reading");
    const telling = () => `${charting.clock(shown.from)} to ${charting.clock(shown.to)}`;
    box.addEventListener("keydown", (event) => {
      if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      if (key in steps) {
        const to = next(steps[key]);
        if (to == null) return;
        point(times[to]);
        reading.textContent = `${charting.clock(times[to])}: ${words(to)}`;
      } else if (key === "+" || key === "=" || key === "-" || key === "_") {
        closer(key === "+" || key === "=" ? 2 : 0.5);
        if (at != null) point(at);
        reading.textContent = telling();
      } else if (key === "Escape") {
        point(null);
        if (!plain()) reset();
        reading.textContent = "";
      } else return;
      event.preventDefault();
    });
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, .chart");
    if (event.key === "Escape" && !typing && !plain()) reset();
  });

  // Says which part is shown, and leads back to the whole.
  const bar = charting.element("zoom");
  const button = document.createElement("button");
  const told = document.createElement("span");
  button.type = "button";
  button.textContent = "Whole run";
  button.addEventListener("click", reset);
  bar.append(told, button);
  const tell = () => {
    bar.hidden = plain();
    told.textContent = `${charting.clock(shown.from)} – ${charting.clock(shown.to)}`;
  };
  heard.push(tell);
  tell();

  return { shown, begin, until, drawn, options, keys, show, visit, part, restore, reset, listen: (tell) => heard.push(tell), marked: () => marked, under: (u) => under === u, whole };
})();
