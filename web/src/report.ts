// report.html: the two dates on a map, the findings in a list beside it, and the wires between them.
import { byId, data } from "./report/data.js";
import { List } from "./report/list.js";
import { Maps, type Mode } from "./report/maps.js";
import { wirePrint } from "./report/print.js";
import { State } from "./report/state.js";

const TALL = 1000; // pixels from which there is room for filters and list
const state = new State(data.findings.map((finding) => finding.id));
const maps = new Maps(state);
const input = (id: string) => byId<HTMLInputElement>(id);

function wireModes(): void {
  const chosen = () => byId("viewer").closest("section")!.querySelector<HTMLInputElement>('input[name="mode"]:checked')!.value as Mode;
  const apply = () => {
    const mode = chosen();
    maps.setMode(mode, 1 - Number(input("fader").value) / 100);
    byId("fade").hidden = mode !== "fade";
    input("divider").hidden = mode !== "swipe";
  };
  for (const choice of document.querySelectorAll('input[name="mode"]')) choice.addEventListener("change", apply);
  input("fader").addEventListener("input", apply);
  apply();
}

function wireDivider(): void {
  const divider = input("divider");
  const apply = () => {
    const percent = Number(divider.value);
    divider.setAttribute("aria-valuetext", `${Math.round(percent)} percent before, ${Math.round(100 - percent)} percent after`);
    byId("viewer").style.setProperty("--divider", `${percent}%`);
    maps.setDivider(percent / 100);
  };
  divider.addEventListener("input", apply);
  apply();
}

function wireLayers(): void {
  for (const what of ["lines", "numbers", "probability"] as const) {
    const box = input(`show-${what}`), apply = () => maps.show(what, box.checked);
    box.addEventListener("change", apply);
    apply();
  }
}

/** On the map; in a field, letters and digits are the field's. */
function wireKeys(): void {
  const does: Record<string, () => void> = {
    n: () => state.step(1), p: () => state.step(-1), "0": () => maps.showAll(), Escape: () => state.choose(null),
  };
  byId("viewer").addEventListener("keydown", (event) => {
    const action = event.altKey || event.ctrlKey || event.metaKey ? undefined : does[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  byId("zoom-in").addEventListener("click", () => maps.zoom(1));
  byId("zoom-out").addEventListener("click", () => maps.zoom(-1));
  byId("zoom-all").addEventListener("click", () => maps.showAll());
}

/** report.html#finding-12 is that finding, and the address follows what is chosen. */
function wireAddress(): void {
  const named = () => {
    const found = /^#finding-(\d+)$/.exec(location.hash);
    if (found) state.choose(Number(found[1]));
  };
  state.on("choice", () => history.replaceState(null, "", state.chosen === null ? location.pathname + location.search : `#finding-${state.chosen}`));
  addEventListener("hashchange", named);
  named();
}

wireModes();
wireDivider();
wireLayers();
wireKeys();
if (data.findings.length) {
  byId<HTMLDetailsElement>("filter").open = innerHeight >= TALL;
  new List(state);
  wireAddress();
}
wirePrint(state);
maps.drawn().then(() => {
  document.documentElement.classList.add("ready");
  performance.mark("ready");
});
