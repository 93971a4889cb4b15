// All that is known of one finding, below its line in the list: close up, sizes, coordinates to copy.
import { drawChip, type Side } from "./chips.js";
import { copy, say } from "./copy.js";
import { byId, type Finding } from "./data.js";

const SHOWN_AS_COPIED = 1500; // milliseconds

/** A filled copy of the page's <template>. */
export function details(finding: Finding): HTMLElement {
  const element = byId<HTMLTemplateElement>("details").content.firstElementChild!.cloneNode(true) as HTMLElement;
  element.id = `details-${finding.id}`;
  for (const canvas of element.querySelectorAll("canvas")) {
    const side = canvas.dataset["side"] as Side;
    canvas.setAttribute("aria-label", `Finding ${finding.id}, ${finding.name}: ${side}`);
    drawChip(canvas, finding, side);
  }
  const facts = element.querySelector(".facts")!, places = element.querySelector(".places")!;
  facts.append(...finding.facts.map(([label, text]) => pair(label, value(text))));
  places.append(...finding.places.map(([label, text]) => pair(label, value(text), button(label, text))));
  return element;
}

/** One term of a <dl> with what is said of it. */
function pair(label: string, ...content: Node[]): HTMLElement {
  const row = document.createElement("div"), term = document.createElement("dt"), told = document.createElement("dd");
  term.textContent = label;
  told.append(...content);
  row.append(term, told);
  return row;
}

function value(text: string): HTMLElement {
  const made = document.createElement("span");
  made.textContent = text;
  made.dir = "auto";
  return made;
}

function button(label: string, text: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = "Copy";
  made.setAttribute("aria-label", `Copy ${label}: ${text}`);
  made.addEventListener("click", async () => {
    const done = await copy(text);
    say(done ? `Copied ${text}` : `Could not copy; select and copy it by hand: ${text}`);
    made.textContent = done ? "Copied" : "By hand";
    setTimeout(() => (made.textContent = "Copy"), SHOWN_AS_COPIED);
  });
  return made;
}
