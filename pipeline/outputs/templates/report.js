"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
  const numbersOf = (text) => text.split(" ").map(Number);

  const viewer = by("viewer"), map = by("map"), divider = by("divider");
  const image = { width: Number(viewer.dataset.width), height: Number(viewer.dataset.height) };
  const metres = Number(viewer.dataset.metres);
  const corners = numbersOf(viewer.dataset.corners); // lon, lat of nw, ne, se, sw
  const outlines = new Map(all(".outline").map((mark) => [mark.dataset.id, mark]));
  const tags = all("#numbers .number").reverse(); // most confident first
  const rows = all("#findings tbody tr");
  const room = clamp(tags.length / 8, 1, 36); // pixels between numbers: many must not bury the image
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // x, y: image point in the middle of the viewer; scale: screen pixels an image pixel
  const view = { x: image.width / 2, y: image.height / 2, scale: 1 };
  let swipe = 0.5, chosen = null, frame = 0, flight = 0, fitted = true;

  // ---- view ----------------------------------------------------------------------------------------------
  const size = () => ({ width: viewer.clientWidth || 1, height: viewer.clientHeight || 1 });
  const fitScale = () => Math.min(size().width / image.width, size().height / image.height);
  const left = () => view.x - size().width / view.scale / 2;
  const top = () => view.y - size().height / view.scale / 2;

  function keepInside() {
    const least = fitScale();
    view.scale = clamp(view.scale, least, Math.max(16, least * 4));
    fitted = view.scale <= least * 1.001;
    view.x = heldIn(view.x, image.width, size().width / view.scale / 2);
    view.y = heldIn(view.y, image.height, size().height / view.scale / 2);
  }

  // The closer the zoom, the farther the image may go over the edge, so that what lies there can be centred too.
  function heldIn(middle, length, half) {
    const edge = half * clamp(2 - view.scale / fitScale(), 0, 1);
    return edge * 2 >= length ? length / 2 : clamp(middle, edge, length - edge);
  }

  function draw() {
    const { width, height } = size();
    if (height < 2) return; // in print the viewer is not there
    keepInside();
    map.setAttribute("viewBox", `${left()} ${top()} ${width / view.scale} ${height / view.scale}`);
    map.classList.toggle("near", view.scale > 6.5);
    viewer.classList.toggle("zoomed", !fitted);
    drawDivider();
    drawScale();
    placeNumbers({ x: left(), y: top(), scale: view.scale, width, height });
  }

  function drawDivider() {
    const percent = Math.round(swipe * 100);
    divider.style.left = `${swipe * 100}%`;
    divider.setAttribute("aria-valuenow", percent);
    divider.setAttribute("aria-valuetext", `${percent} percent before, ${100 - percent} percent after`);
    by("clip").setAttribute("x", left() + (swipe * size().width) / view.scale);
    by("clip").setAttribute("width", image.width * 2);
  }

  function drawScale() {
    const most = (110 / view.scale) * metres, power = 10 ** Math.floor(Math.log10(most));
    const length = power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
    by("scale-text").textContent = length >= 1000 ? `${length / 1000} km` : `${Number(length.toPrecision(1))} m`;
    by("scale-bar").style.width = `${(length / metres) * view.scale}px`;
  }

  function redraw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  }

  function moveTo(x, y, scale) {
    cancelAnimationFrame(flight);
    const from = { ...view }, start = performance.now(), time = still ? 1 : 280;
    const fly = (now) => {
      const t = clamp((now - start) / time, 0, 1), ease = t * (2 - t);
      view.scale = from.scale * (scale / from.scale) ** ease;
      view.x = from.x + (x - from.x) * ease;
      view.y = from.y + (y - from.y) * ease;
      draw();
      if (t < 1) flight = requestAnimationFrame(fly);
    };
    flight = requestAnimationFrame(fly);
  }

  function panBy(dx, dy) {
    cancelAnimationFrame(flight);
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    redraw();
  }

  function zoomAt(factor, point) {
    cancelAnimationFrame(flight);
    const box = viewer.getBoundingClientRect(), { width, height } = size();
    const dx = point ? point.x - box.left - width / 2 : 0, dy = point ? point.y - box.top - height / 2 : 0;
    const scale = clamp(view.scale * factor, fitScale(), Math.max(16, fitScale() * 4));
    view.x += dx / view.scale - dx / scale;
    view.y += dy / view.scale - dy / scale;
    view.scale = scale;
    redraw();
  }

  const showAll = () => moveTo(image.width / 2, image.height / 2, fitScale());

  // ---- numbers: beside an outermost point of the outline, hidden where there is no room ------------------------
  // frame: where the image point x, y is drawn at 0, 0 of a frame of width by height pixels, at scale
  function placeNumbers(frame) {
    const taken = [], first = tags.filter((tag) => tag.dataset.id === chosen);
    for (const tag of [...first, ...tags.filter((tag) => tag.dataset.id !== chosen)]) {
      const spot = tag.dataset.off ? null : freeSpot(tag, taken, frame);
      tag.classList.toggle("off", !spot);
      if (!spot) continue;
      taken.push(spot);
      const x = frame.x + spot.x / frame.scale, y = frame.y + spot.y / frame.scale;
      tag.setAttribute("transform", `translate(${x} ${y}) scale(${1 / frame.scale})`);
    }
  }

  function freeSpot(tag, taken, frame) {
    const a = numbersOf(tag.dataset.anchors), wide = Number(tag.dataset.wide), high = 18, gap = 5;
    const at = (i) => ({ x: (a[2 * i] - frame.x) * frame.scale, y: (a[2 * i + 1] - frame.y) * frame.scale });
    const [right, west, north, south] = [0, 1, 2, 3].map(at);
    const spots = [
      { x: right.x + gap, y: right.y - high / 2 }, { x: north.x - wide / 2, y: north.y - high - gap },
      { x: west.x - wide - gap, y: west.y - high / 2 }, { x: south.x - wide / 2, y: south.y + gap },
    ].map((spot) => ({ ...spot, wide, high }));
    const apart = (p, q) => p.x + p.wide + room < q.x || q.x + q.wide + room < p.x || p.y + high + room < q.y || q.y + high + room < p.y;
    const inside = (p) => p.x >= 0 && p.y >= 0 && p.x + wide <= frame.width && p.y + high <= frame.height;
    const free = spots.find((spot) => inside(spot) && taken.every((other) => apart(spot, other)));
    return free || (tag.dataset.id === chosen ? spots[0] : null);
  }

  function placeNumbersForPrint() { // where each image is about 9 cm wide, and numbers may be smaller
    const width = 560, scale = width / image.width;
    placeNumbers({ x: 0, y: 0, scale, width, height: image.height * scale });
  }

  function sizeNumbers() {
    for (const tag of tags) {
      const wide = 10 + 7.6 * tag.dataset.id.length;
      tag.dataset.wide = wide;
      tag.querySelector("rect").setAttribute("width", wide);
      tag.querySelector("text").setAttribute("x", wide / 2);
    }
  }

  // ---- one finding --------------------------------------------------------------------------------------------
  function choose(id, scroll) {
    const row = rows.find((candidate) => candidate.dataset.id === id);
    if (!row) return;
    chosen = id;
    for (const mark of all(".outline, #numbers .number, #findings tbody tr, #chips li")) {
      mark.classList.toggle("chosen", mark.dataset.id === id);
    }
    const mark = outlines.get(id);
    mark.parentNode.append(mark); // drawn last, so on top
    describe(row);
    const [x0, y0, x1, y1] = numbersOf(mark.dataset.box), { width, height } = size();
    const close = (Math.min(width, height) * 0.4) / Math.max(x1 - x0, y1 - y0, 12);
    moveTo((x0 + x1) / 2, (y0 + y1) / 2, clamp(Math.min(close, 6), fitScale(), 16));
    if (scroll) bringIntoSight();
  }

  function bringIntoSight() {
    const box = viewer.getBoundingClientRect();
    if (box.top < -box.height / 4 || box.bottom > innerHeight + box.height / 4) {
      viewer.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "center" });
    }
  }

  function describe(row) {
    const cell = (label) => row.querySelector(`[data-label="${label}"]`).textContent.trim();
    const line = (text, name) => {
      const p = document.createElement("p");
      p.textContent = text;
      p.dir = "auto";
      if (name) p.className = name;
      return p;
    };
    const box = by("chosen");
    box.className = `chosen kind-${row.dataset.kind}`;
    box.replaceChildren(
      line(`${row.dataset.id}. ${cell("Direction")} ${cell("Kind")}`, "name"),
      line(`Confidence ${cell("Confidence")}`),
      line(`${cell("Area")}, ${cell("Length")} long, ${cell("Width")} wide`),
      ...(row.dataset.zone ? [line(row.dataset.zone)] : []),
      line(cell("Latitude, longitude"), "quiet"),
      ...closeUp(row.dataset.id),
    );
  }

  function closeUp(id) {
    const pair = document.querySelector(`#chips li[data-id="${id}"] .pair`);
    return pair ? [pair.cloneNode(true)] : [];
  }

  function step(by_) {
    const shown = all("#findings tbody tr").filter((row) => !row.hidden).map((row) => row.dataset.id);
    if (!shown.length) return;
    const at = shown.indexOf(chosen);
    choose(shown[at < 0 ? (by_ > 0 ? 0 : shown.length - 1) : (at + by_ + shown.length) % shown.length], false);
  }

  // ---- table ----------------------------------------------------------------------------------------------------
  function sortBy(button) {
    const heading = button.closest("th"), key = button.dataset.key, numeric = "numeric" in button.dataset;
    const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const order = (a, b) => numeric ? a.dataset[key] - b.dataset[key] : a.dataset[key].localeCompare(b.dataset[key]);
    for (const other of all("#findings th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    rows.sort((a, b) => sign * order(a, b) || a.dataset.id - b.dataset.id);
    by("findings").tBodies[0].append(...rows);
  }

  function filter() {
    const form = new FormData(by("filters"));
    const kinds = new Set(form.getAll("kind")), directions = new Set(form.getAll("direction"));
    const least = Number(form.get("confidence"));
    by("least").textContent = least.toFixed(2);
    const kept = new Set(rows.filter(({ dataset }) =>
      kinds.has(dataset.kind) && directions.has(dataset.direction) && Number(dataset.confidence) >= least
    ).map((row) => row.dataset.id));
    for (const item of [...rows, ...all("#chips li")]) item.hidden = !kept.has(item.dataset.id);
    for (const [id, mark] of outlines) mark.classList.toggle("off", !kept.has(id));
    for (const tag of tags) tag.dataset.off = kept.has(tag.dataset.id) ? "" : "yes";
    by("shown").textContent = `${kept.size} of ${rows.length} shown`;
    redraw();
  }

  // ---- pointer and keys -------------------------------------------------------------------------------------------
  const pointers = new Map();
  let moved = 0, swiping = false;

  const setSwipe = (clientX) => {
    const box = viewer.getBoundingClientRect();
    swipe = clamp((clientX - box.left) / box.width, 0, 1);
    drawDivider();
  };

  function pointerDown(event) {
    if (event.button > 0 || event.target.closest("button")) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    swiping = divider.contains(event.target);
    if (pointers.size === 1) moved = 0;
  }

  function pointerMove(event) {
    showPosition(event);
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const here = { x: event.clientX, y: event.clientY };
    moved += Math.hypot(here.x - last.x, here.y - last.y);
    if (moved > 4 && !viewer.hasPointerCapture(event.pointerId)) viewer.setPointerCapture(event.pointerId);
    if (pointers.size === 2) pinch(event.pointerId, last, here);
    else if (swiping) setSwipe(here.x);
    else if (moved > 4) panBy(here.x - last.x, here.y - last.y);
    viewer.classList.toggle("moving", moved > 4 && !swiping);
    pointers.set(event.pointerId, here);
  }

  function pinch(id, last, here) {
    const other = [...pointers].find(([key]) => key !== id)[1];
    const apart = (p) => Math.hypot(p.x - other.x, p.y - other.y) || 1;
    panBy((here.x - last.x) / 2, (here.y - last.y) / 2);
    zoomAt(apart(here) / apart(last), { x: (here.x + other.x) / 2, y: (here.y + other.y) / 2 });
  }

  function pointerUp(event) {
    pointers.delete(event.pointerId);
    viewer.classList.remove("moving");
    if (!pointers.size) swiping = false;
  }

  function wheel(event) {
    if (fitted && event.deltaY > 0 && !event.ctrlKey) return; // nothing to zoom out of: let the page scroll
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    zoomAt(Math.exp(-clamp(event.deltaY * lines, -120, 120) * (event.ctrlKey ? 0.01 : 0.0022)), { x: event.clientX, y: event.clientY });
  }

  function showPosition(event) {
    const box = viewer.getBoundingClientRect();
    const u = (left() + (event.clientX - box.left) / view.scale) / image.width;
    const v = (top() + (event.clientY - box.top) / view.scale) / image.height;
    const at = (i) => (1 - v) * ((1 - u) * corners[i] + u * corners[2 + i]) + v * ((1 - u) * corners[6 + i] + u * corners[4 + i]);
    const outside = u < 0 || v < 0 || u > 1 || v > 1 || event.pointerType === "touch";
    by("pointer").textContent = outside ? "" : `${at(1).toFixed(5)}, ${at(0).toFixed(5)}`;
  }

  function keyDown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const far = event.shiftKey ? 200 : 60;
    const swipeBy = (step_) => { swipe = clamp(swipe + step_, 0, 1); drawDivider(); };
    const onDivider = event.target === divider;
    const does = {
      ArrowLeft: () => onDivider ? swipeBy(-0.02) : panBy(far, 0), ArrowRight: () => onDivider ? swipeBy(0.02) : panBy(-far, 0),
      ArrowUp: () => onDivider ? swipeBy(0.02) : panBy(0, far), ArrowDown: () => onDivider ? swipeBy(-0.02) : panBy(0, -far),
      Home: () => swipeBy(-1), End: () => swipeBy(1), "+": () => zoomAt(1.4), "=": () => zoomAt(1.4), "-": () => zoomAt(1 / 1.4),
      0: showAll, n: () => step(1), p: () => step(-1), Escape: showAll,
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  // ---- wiring ---------------------------------------------------------------------------------------------------
  function wireViewer() {
    viewer.addEventListener("pointerdown", pointerDown);
    viewer.addEventListener("pointermove", pointerMove);
    for (const name of ["pointerup", "pointercancel"]) viewer.addEventListener(name, pointerUp);
    viewer.addEventListener("pointerleave", () => { by("pointer").textContent = ""; });
    viewer.addEventListener("wheel", wheel, { passive: false });
    viewer.addEventListener("keydown", keyDown);
    viewer.addEventListener("dblclick", (event) => event.target.closest("button, .divider") || zoomAt(2, { x: event.clientX, y: event.clientY }));
    by("zoom-in").addEventListener("click", () => zoomAt(1.5));
    by("zoom-out").addEventListener("click", () => zoomAt(1 / 1.5));
    by("zoom-all").addEventListener("click", showAll);
    addEventListener("beforeprint", placeNumbersForPrint);
    addEventListener("afterprint", redraw);
    new ResizeObserver(() => { if (fitted) view.scale = fitScale(); redraw(); }).observe(viewer);
  }

  function wireTools() {
    for (const [box, layer] of [["show-outlines", "outlines"], ["show-numbers", "numbers"], ["show-probability", "probability"]]) {
      const apply = () => by(layer).classList.toggle("off", !by(box).checked);
      by(box).addEventListener("change", apply);
      apply();
    }
    const fade = () => by("fade").setAttribute("opacity", 1 - by("fader").value / 100);
    by("fader").addEventListener("input", fade);
    fade();
  }

  function wireFindings() {
    const pick = (scroll) => (event) => {
      const item = event.target.closest("[data-id]");
      if (item && (scroll || moved <= 4)) choose(item.dataset.id, scroll);
    };
    by("outlines").addEventListener("click", pick(false));
    by("numbers").addEventListener("click", pick(false));
    by("findings").tBodies[0].addEventListener("click", pick(true));
    by("chips").addEventListener("click", pick(true));
    for (const button of all("#findings th button")) button.addEventListener("click", () => sortBy(button));
    by("filters").addEventListener("input", filter);
    by("filters").addEventListener("reset", () => setTimeout(filter));
    by("filters").addEventListener("submit", (event) => event.preventDefault());
    by("next").addEventListener("click", () => step(1));
    by("previous").addEventListener("click", () => step(-1));
    addEventListener("hashchange", chooseFromAddress);
    filter();
    chooseFromAddress();
  }

  const chooseFromAddress = () => {
    const named = /^#finding-(\d+)$/.exec(location.hash);
    if (named) choose(named[1], true);
  };

  view.scale = fitScale();
  sizeNumbers();
  wireViewer();
  wireTools();
  if (rows.length) wireFindings();
  draw();
})();
