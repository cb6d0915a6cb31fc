// The curve of percentiles: each step to the right is ten times rarer.
(function () {
  "use strict";
  const { element, colour, ms, height } = charting;
  const box = element("chart-curve");
  if (!box || !run.curve.length) return;

  // The maximum has no place on such an axis: it stands a little behind the rarest that is told.
  const known = run.curve.filter(([x]) => x != null);
  const longest = run.curve.filter(([x]) => x == null).at(-1);
  const end = (known.at(-1)?.[0] ?? 0) + 0.15;
  const points = longest ? [...known, [end, longest[1], longest[2]]] : known;
  const xs = points.map(([x]) => x);
  const words = (x) => {
    if (longest && x >= end - 1e-9) return "all";
    return `${Number(((1 - 10 ** -x) * 100).toFixed(Math.max(0, Math.ceil(x) - 1)))}%`;
  };
  const series = [
    { label: "response time", values: points.map((point) => point[1]), colour: "p50" },
    { label: "service time", values: points.map((point) => point[2]), colour: "p95", dash: [5, 3] },
  ].filter((one) => one.values.some((value) => value != null));
  const all = series.flatMap((one) => one.values).filter((value) => value > 0);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const tall = () => height() + 60;

  // Where there is no room for the words of all marks, those that are asked for most stay.
  function spaced(u, splits) {
    const each = (u.width - 72) / Math.max(end, 0.5);
    const wanted = [3, 4, 1, 5, 6, 7, 8, 9, 10, 0, 2].filter((i) => i < splits.length);
    const kept = wanted.reduce((kept, i) => {
      const wide = (at) => 7.6 * words(splits[at]).length;
      const apart = (at) => Math.abs(splits[at] - splits[i]) * each >= (wide(at) + wide(i)) / 2 + 8;
      return kept.every(apart) ? [...kept, i] : kept;
    }, []);
    return splits.map((x, i) => (kept.includes(i) ? words(x) : ""));
  }

  const axes = charting.axes(ms);
  axes[1].size = 58;
  axes[1].values = (u, ticks) => ticks.map((tick) => (tick == null ? "" : ms(tick)));
  const marks = [0, Math.log10(2), Math.log10(4), 1, 2, 3, 4, 5, 6, 7, 8].filter((x) => x <= end);
  axes[0] = { ...axes[0], splits: () => marks, filter: (u, splits) => splits, incrs: undefined, space: 10, values: spaced };
  const list = plots.make("div", "key-list");
  const keys = series.map((one) => {
    const item = plots.make("span", "key-one");
    const sign = plots.make("i", one.dash ? "sign dashed" : "sign");
    sign.style.setProperty("--colour", `var(--${one.colour})`);
    const figure = plots.make("b");
    item.append(sign, one.label, " ", figure);
    list.append(item);
    return figure;
  });
  const at = plots.make("span", "key-at");
  list.append(at);
  const share = (x) => (longest && x >= end - 1e-9 ? "the longest" : `${Number(((1 - 10 ** -x) * 100).toFixed(Math.max(1, Math.ceil(x))))}% of requests took up to`);
  const tell = (index) => {
    at.textContent = index == null ? "" : share(xs[index]);
    keys.forEach((figure, i) => (figure.textContent = index == null ? "" : ms(series[i].values[index])));
  };
  const isWide = most > 20 * least;
  const plot = new uPlot({
    width: box.clientWidth,
    height: tall(),
    padding: [6, 14, 0, 0],
    scales: {
      x: { time: false, range: () => [0, Math.max(end, 0.5)] },
      y: isWide ? { distr: 3, range: () => [10 ** Math.floor(Math.log10(least)), most * 1.3] } : { range: () => [0, most * 1.08 || 1] },
    },
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 7 } },
    legend: { show: false },
    hooks: { setCursor: [(u) => tell(u.cursor.left < 0 ? null : u.cursor.idx)] },
    axes,
    series: [{}, ...series.map((one) => ({ stroke: () => colour(one.colour), width: 2, dash: one.dash, points: { show: false } }))],
  }, [xs, ...series.map((one) => one.values)], box);
  box.after(list);
  // Two digits more than the axis has: the points are closer than its marks.
  const fraction = (x) => Number((1 - 10 ** -x).toFixed(Math.ceil(x) + 4));
  tables.behind(box, "percentiles of response time", {
    times: xs.map((x) => (longest && x === end ? 1 : fraction(x))),
    columns: series.map((one) => ({ ...one, format: ms })),
    head: "Of requests",
    key: "fraction",
    tell: (fraction) => (fraction === 1 ? "all" : `${Number((fraction * 100).toFixed(9))}%`),
  });

  // Keys go through the percentiles that have names.
  const stops = marks.map((mark) => xs.findIndex((x) => x >= mark - 1e-9)).filter((i) => i >= 0);
  if (longest) stops.push(xs.length - 1);
  let stop = null;
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -99, End: 99 };
  box.addEventListener("keydown", (event) => {
    // With these keys it is the browser that is spoken to.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      stop = null;
      plot.setCursor({ left: -10, top: -10 });
    } else if (event.key in steps) {
      stop = Math.min(stops.length - 1, Math.max(0, (stop ?? -1) + steps[event.key]));
      const index = stops[stop];
      plot.setCursor({ left: plot.valToPos(xs[index], "x"), top: 0 });
      const reading = element("reading");
      if (reading) reading.textContent = `${share(xs[index])}: ${series.map((one) => `${one.label} ${ms(one.values[index])}`).join(", ")}`;
    } else return;
    event.preventDefault();
  });
  charting.keep([{ box, plot, tall }], box);
})();
