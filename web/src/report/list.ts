// The list of findings: filtered, sorted, one of them open; what is chosen here is chosen on the map, and back.
import { byId, data, findings, type Finding } from "./data.js";
import { say } from "./copy.js";
import { details } from "./details.js";
import type { State } from "./state.js";

const ORDERS: Record<string, (one: Finding, other: Finding) => number> = {
  number: (one, other) => one.id - other.id,
  confidence: (one, other) => other.confidence - one.confidence,
  area: (one, other) => other.area - one.area,
  length: (one, other) => other.length - one.length,
  kind: (one, other) => one.kind.localeCompare(other.kind),
  direction: (one, other) => one.direction.localeCompare(other.direction),
  zone: (one, other) => (one.zone ?? "\uffff").localeCompare(other.zone ?? "\uffff"),
};

export class List {
  private readonly items = new Map<number, HTMLElement>();
  private readonly list = byId("list");
  private readonly form = byId<HTMLFormElement>("filters");
  private open: HTMLElement | null = null;

  constructor(private readonly state: State) {
    for (const item of this.list.children) this.items.set(Number((item as HTMLElement).dataset["id"]), item as HTMLElement);
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.form.addEventListener("input", () => this.filter());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => setTimeout(() => this.filter()));
    byId("previous").addEventListener("click", () => state.step(-1));
    byId("next").addEventListener("click", () => state.step(1));
    state.on("choice", () => this.chosen());
    this.filter();
  }

  private clicked(event: MouseEvent): void {
    const line = (event.target as Element).closest("button.finding");
    if (!line) return;
    const id = Number(line.closest<HTMLElement>("li")!.dataset["id"]);
    this.state.choose(id === this.state.chosen ? null : id);
  }

  /** Open the chosen finding's line, close the one before. */
  private chosen(): void {
    if (this.open) {
      this.open.classList.remove("chosen");
      this.open.querySelector(".finding")!.setAttribute("aria-expanded", "false");
      this.open.querySelector(".details")?.remove();
    }
    const id = this.state.chosen, finding = id === null ? undefined : findings.get(id);
    this.open = finding ? this.items.get(finding.id)! : null;
    if (!this.open || !finding) return;
    this.open.hidden = false; // named by an address, it is shown though a filter leaves it out
    this.open.classList.add("chosen");
    this.open.querySelector(".finding")!.setAttribute("aria-expanded", "true");
    this.open.append(details(finding));
    this.bringIntoSight(this.open);
    say(`Finding ${finding.id}: ${finding.name}, confidence ${finding.confidence.toFixed(2)}`);
  }

  /** Within the list where it scrolls for itself (wide windows), else by the page. */
  private bringIntoSight(item: HTMLElement): void {
    const { list } = this;
    if (getComputedStyle(list).overflowY !== "auto") return item.scrollIntoView({ block: "nearest" });
    const top = item.offsetTop - list.offsetTop, bottom = top + item.offsetHeight;
    if (top < list.scrollTop || item.offsetHeight > list.clientHeight) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  private filter(): void {
    const form = new FormData(this.form), zone = form.get("zone");
    const kinds = new Set(form.getAll("kind")), directions = new Set(form.getAll("direction"));
    const sure = Number(form.get("confidence")), large = Number(form.get("area") || 0);
    byId("least").textContent = sure.toFixed(2);
    const kept = data.findings.filter(
      (one) =>
        kinds.has(one.kind) && directions.has(one.direction) && one.confidence >= sure && one.area >= large &&
        (!zone || (zone === "none" ? one.zone === null : `zone ${one.zone}` === zone)),
    );
    const by = ORDERS[String(form.get("order"))]!, sign = form.get("turned") ? -1 : 1;
    kept.sort((one, other) => sign * by(one, other) || one.id - other.id);
    const ids = kept.map((one) => one.id), shown = new Set(ids);
    for (const [id, item] of this.items) item.hidden = !shown.has(id);
    this.list.append(...ids.map((id) => this.items.get(id)!));
    byId("shown").textContent = `${ids.length} of ${data.findings.length} shown`;
    this.state.list(ids);
  }
}
