// Follows links within the page: to a chart and a part of its time, to a name that opens, to what is folded.
// Each is a step that the browser's Back undoes.
(function () {
  "use strict";
  const { element } = charting;

  function follow(hash, link) {
    const target = element(hash.slice(1));
    if (!target) return;
    const from = link?.dataset.from;
    if (from !== undefined) time.visit(Number(from), link.dataset.to === undefined ? undefined : Number(link.dataset.to));
    const name = /^#name-(\d+)$/.exec(hash);
    if (name) {
      names.open(Number(name[1]));
      names.button?.(Number(name[1])).focus({ preventScroll: true });
    }
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    if (target.classList.contains("chart")) {
      target.closest("figure").scrollIntoView({ block: "center" });
      target.focus({ preventScroll: true });
    } else target.scrollIntoView();
  }

  // What is shown at a place, kept with the address: the part of the run, and which names are open. A page
  // of another run may come to stand at the same address: none of it is of that.
  let step = 0;
  const seen = () => ({ run: run.id, step, part: time.part(), open: names.opened(), top: window.scrollY });
  const own = (state) => state?.run === run.id;
  let waits = null;
  function keep() {
    clearTimeout(waits);
    window.history.replaceState(seen(), "");
  }
  const left = new Map();

  // What the reader does after it came from a link is seen again too. Browsers bear only so many changes in
  // a short time.
  function later() {
    clearTimeout(waits);
    waits = setTimeout(keep, 200);
  }
  time.listen(later);
  names.listen(later);

  function restore(to) {
    step = to.step;
    time.restore(to.part);
    const now = names.opened();
    now.filter((title) => !to.open.includes(title)).forEach((title) => names.close(names.find(title)));
    to.open.filter((title) => !now.includes(title)).forEach((title) => names.open(names.find(title)));
    clearTimeout(waits);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const hash = link.getAttribute("href");
    // What is gone back to is the place that was left, as it was left.
    keep();
    left.set(step, link);
    step += 1;
    window.history.pushState(null, "", hash);
    follow(hash, link);
    keep();
  });
  window.addEventListener("popstate", ({ state }) => {
    clearTimeout(waits);
    if (own(state)) {
      restore(state);
      // What opened or closed has moved the place that the browser went back to.
      window.scrollTo(0, state.top);
      left.get(step)?.focus({ preventScroll: true });
    } else if (!state && location.hash) follow(location.hash);
  });
  const before = window.history.state;
  if (own(before)) restore(before);
  // Another run has other names and exchanges by the same number, but the same sections.
  else if (location.hash && !(before && /\d$/.test(location.hash))) follow(location.hash);

  // The contents say where the reader is.
  const links = [...document.querySelectorAll('.contents a[href^="#h-"]')];
  const places = links.map((link) => element(link.getAttribute("href").slice(1))?.closest("section")).filter((one) => one);
  const here = () => {
    const past = places.filter((place) => place.getBoundingClientRect().top < window.innerHeight / 3);
    const current = past.at(-1);
    links.forEach((link, i) => (current && places[i] === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  };
  let waiting = false;
  window.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      here();
    });
  }, { passive: true });
  here();
})();
