"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const dates = all("[data-now]"), runner = by("runner"), image = by("image"), play = by("play");
  const outlines = all(".outline"), rows = all("#things tbody tr");
  const PAUSE = 900; // milliseconds a date is shown for
  let at = dates.length - 1, timer = null;

  function show(index) {
    at = Math.max(0, Math.min(dates.length - 1, index));
    const now = dates[at].dataset;
    for (const part of dates) part.hidden = part !== dates[at];
    runner.value = at;
    runner.setAttribute("aria-valuetext", now.long);
    image.src = now.src;
    image.alt = `The site on ${now.long}`;
    by("stamp").textContent = now.long;
    if (by("cursor") && now.x) by("cursor").setAttribute("transform", `translate(${now.x})`);
    for (const button of all("#days button")) {
      if (+button.dataset.at === at) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    draw();
    for (const next of [at - 1, at + 1]) if (dates[next]) new Image().src = dates[next].dataset.src;
  }

  const wanted = () => new Set(all("#filters input[value]:checked").map((box) => box.value));

  // What the date shows: a thing is drawn while it stands, and heavier on the date that shows it first.
  function draw() {
    const date = dates[at].dataset.date, statuses = wanted(), drawn = !by("outlines") || by("outlines").checked;
    for (const outline of outlines) {
      const { from, to, status } = outline.dataset;
      const stands = from <= date && date <= to && statuses.has(status);
      outline.classList.toggle("fresh", from === date && at > 0);
      outline.toggleAttribute("hidden", !drawn || !(stands || outline.classList.contains("chosen")));
    }
    for (const row of rows) row.hidden = !statuses.has(row.dataset.status);
  }

  function choose(number, go) {
    const same = (part) => part.dataset.n === number && !(go && part.classList.contains("chosen"));
    for (const part of [...outlines, ...rows]) part.classList.toggle("chosen", same(part));
    const row = by(`thing-${number}`), outline = outlines.find((part) => part.dataset.n === number);
    if (go && row.classList.contains("chosen")) {
      const { from, to } = outline.dataset, date = dates[at].dataset.date;
      if (date < from || date > to) show(dates.findIndex((part) => part.dataset.date === from));
      by("picture").scrollIntoView({ block: "nearest" });
    }
    draw();
    if (!go) row.scrollIntoView({ block: "nearest" });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }

  function start() {
    show(at === dates.length - 1 ? 0 : at + 1);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => (at === dates.length - 1 ? stop() : show(at + 1)), PAUSE);
  }

  // A round length of about a fifth of the picture.
  function scale() {
    const bar = by("scale"), shown = image.clientWidth || +bar.dataset.width;
    const metre = shown / (bar.dataset.width * bar.dataset.metres), power = 10 ** Math.floor(Math.log10(shown / 5 / metre));
    const length = [5, 2, 1].map((step) => step * power).find((round) => round * metre <= shown / 5) || power;
    bar.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
    const line = document.createElement("span");
    line.style.width = `${length * metre}px`;
    bar.append(line);
  }

  runner.addEventListener("input", () => { stop(); show(+runner.value); });
  by("back").addEventListener("click", () => { stop(); show(at - 1); });
  by("on").addEventListener("click", () => { stop(); show(at + 1); });
  play.addEventListener("click", () => (timer ? stop() : start()));
  by("days").addEventListener("click", (event) => {
    const button = event.target.closest("[data-at]");
    if (button) { stop(); show(+button.dataset.at); }
  });
  if (by("filters")) by("filters").addEventListener("change", draw);
  if (by("things")) by("things").tBodies[0].addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row && !event.target.closest("a")) choose(row.dataset.n, true);
  });
  for (const outline of outlines) outline.addEventListener("click", () => choose(outline.dataset.n, false));
  new ResizeObserver(scale).observe(image);
  show(at);
})();
