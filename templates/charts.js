// What the charts of every page have in common: how figures look, and the one cursor that the keyboard
// moves through all of them.
const charting = (function () {
  "use strict";
  const element = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const count = (value) => (value == null ? "–" : value >= 1000 ? Math.round(value).toLocaleString("en") : trim(value.toFixed(value >= 100 ? 1 : 2)));
  const ms = (value) =>
    value == null ? "–" : value >= 60000 ? clock(value / 1000) : value >= 1000 ? trim((value / 1000).toFixed(2)) + "s" : trim(value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)) + "ms";
  const clock = (seconds) => {
    if (seconds == null) return "–";
    // Rounded before it is split: what is nearly a second more is that second.
    const tenths = Math.round(seconds * 10);
    const whole = Math.floor(tenths / 10);
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const rest = tenths % 10 ? `.${tenths % 10}` : "";
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}${rest}`;
  };

  // Where seconds are none, hours are said as such: shorter, and not to be taken for minutes.
  const ticked = (seconds) => {
    if (seconds < 3600 || seconds % 60) return clock(seconds);
    const minutes = Math.round((seconds % 3600) / 60);
    return `${Math.floor(seconds / 3600)}h${minutes ? String(minutes).padStart(2, "0") : ""}`;
  };

  const height = () => (window.innerWidth < 640 ? 180 : 210);
  // Times read best at steps of a clock, not of ten.
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const axes = (format) => {
    const axis = { stroke: () => colour("dim"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return [
      { ...axis, values: (u, ticks) => ticks.map(ticked), incrs: steps, space: 70, size: 30 },
      { ...axis, values: (u, ticks) => ticks.map(format), size: 64 },
    ];
  };

  // The arrow keys move the one cursor of all charts, and say in words what it meets.
  const follow = (drawn, times, words) => {
    let at = null;
    const go = (to) => {
      at = to;
      for (const { plot } of drawn) {
        plot.setCursor({ left: at == null ? -10 : plot.valToPos(plot.data[0][at], "x"), top: 0 });
      }
      element("reading").textContent = at == null ? "" : `${clock(times[at])}: ${words(at).join(", ")}`;
    };
    const last = times.length - 1;
    const keys = {
      ArrowRight: () => Math.min(last, at == null ? 0 : at + 1),
      ArrowLeft: () => Math.max(0, at == null ? last : at - 1),
      PageDown: () => Math.min(last, (at ?? 0) + 10),
      PageUp: () => Math.max(0, (at ?? last) - 10),
      Home: () => 0,
      End: () => last,
      Escape: () => null,
    };
    for (const { box } of drawn) {
      box.addEventListener("keydown", (event) => {
        const key = keys[event.key];
        if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        go(key());
      });
    }
    keep(drawn, drawn[0].box);
  };

  // Charts follow the width of their boxes, the colours of the screen, and paper. More may join `drawn`.
  const keep = (drawn, outer) => {
    const resize = () => {
      for (const { box, plot, tall } of drawn) {
        if (box.clientWidth) plot.setSize({ width: box.clientWidth, height: tall ? tall() : height() });
      }
    };
    let width = outer.clientWidth;
    new ResizeObserver(() => {
      if (outer.clientWidth === width) return;
      width = outer.clientWidth;
      resize();
    }).observe(outer);
    const redraw = () => drawn.forEach(({ plot }) => plot.redraw(false, true));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    // Paper is white whatever the screen is.
    const printing = (is) => () => {
      document.documentElement.classList.toggle("printing", is);
      redraw();
    };
    window.addEventListener("beforeprint", printing(true));
    window.addEventListener("afterprint", printing(false));
  };

  return { element, colour, count, clock, ms, height, axes, follow, keep };
})();
