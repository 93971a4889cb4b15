// What the reader looks at, and who wants to know of it.

type Heard = "choice" | "filter";

/** The chosen finding, and the ids of those that pass the filters, in the order in which they are listed. */
export class State {
  chosen: number | null = null;
  order: number[];
  private ranks = new Map<number, number>();
  private readonly heard: Record<Heard, (() => void)[]> = { choice: [], filter: [] };

  constructor(ids: number[]) {
    this.order = ids;
    this.rankAll();
  }

  /** Call `listener` after each change of that sort. */
  on(what: Heard, listener: () => void): void {
    this.heard[what].push(listener);
  }

  isShown(id: number): boolean {
    return this.ranks.has(id);
  }

  /** Its place among those listed when they are in the order of their numbers, which is that of confidence. */
  rank(id: number): number {
    return this.ranks.get(id) ?? Infinity;
  }

  choose(id: number | null): void {
    this.chosen = id;
    for (const listener of this.heard.choice) listener();
  }

  list(ids: number[]): void {
    this.order = ids;
    this.rankAll();
    for (const listener of this.heard.filter) listener();
  }

  private rankAll(): void {
    this.ranks = new Map([...this.order].sort((one, other) => one - other).map((id, rank) => [id, rank]));
  }

  /** The next (1) or previous (-1) of those listed, round at the ends. */
  step(by: 1 | -1): void {
    const count = this.order.length;
    if (!count) return;
    const at = this.chosen === null ? -1 : this.order.indexOf(this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : count - 1) : (at + by + count) % count;
    this.choose(this.order[next] ?? null);
  }
}
