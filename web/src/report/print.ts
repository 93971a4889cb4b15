// On paper: both dates side by side with their outlines and numbers, and the findings that are shown, opened.
import { preloadChips } from "./chips.js";
import { data, findings } from "./data.js";
import { details } from "./details.js";
import { kindOf } from "./outlines.js";
import type { State } from "./state.js";

const OPENED = 60; // findings printed with their close ups; a line is printed of the others
const SVG = "http://www.w3.org/2000/svg";

function svg(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

/** Outlines over a picture of data.width by data.height, numbered at its scale on paper. */
function drawing(state: State): SVGElement {
  const made = svg("svg", { viewBox: `0 0 ${data.width} ${data.height}`, "aria-hidden": "true" });
  const size = data.width / 50;
  const hatch = document.getElementById("image-hatch") as HTMLImageElement | null;
  if (hatch) made.append(svg("image", { href: hatch.src, width: data.width, height: data.height }));
  for (const id of state.order) {
    const finding = findings.get(id)!, { colour, mark } = kindOf(finding.kind);
    const path = finding.rings.map((ring) => `M${ring.join(" ")}Z`).join("");
    const dash = (data.dashes[finding.direction] ?? []).map((step) => step * 2).join(" ") || "none";
    const group = svg("g", {});
    const far = finding.rings[0]!.reduce((best, value, i, ring) => (i % 2 === 0 && value > ring[best]! ? i : best), 0);
    group.append(
      svg("path", { d: path, class: "casing" }),
      svg("path", { d: path, class: "edge", stroke: colour, "stroke-dasharray": dash }),
      svg("text", { x: finding.rings[0]![far]! + size / 4, y: finding.rings[0]![far + 1]! + size / 3, "font-size": size, "stroke-width": size / 4 }, `${mark} ${id}`),
    );
    made.append(group);
  }
  return made;
}

export function wirePrint(state: State): void {
  setTimeout(preloadChips, 1000);
  const added: Element[] = [];
  const clear = () => added.splice(0).forEach((element) => element.remove());
  addEventListener("beforeprint", () => {
    clear();
    for (const still of document.querySelectorAll(".still")) {
      const over = drawing(state);
      still.append(over);
      added.push(over);
    }
    for (const id of state.order.slice(0, OPENED)) {
      if (id === state.chosen) continue;
      const element = details(findings.get(id)!);
      document.querySelector(`#list li[data-id="${id}"]`)?.append(element);
      added.push(element);
    }
  });
  addEventListener("afterprint", clear);
}
