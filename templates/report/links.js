// Follows links within the page: to a chart and a part of its time, to a name that opens, to what is folded.
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

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const hash = link.getAttribute("href");
    // What is gone back to is the place that was left.
    if (location.hash !== hash) window.history.pushState(null, "", hash);
    follow(hash, link);
  });
  window.addEventListener("popstate", () => location.hash && follow(location.hash));
  if (location.hash) follow(location.hash);

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
