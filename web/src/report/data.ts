// What report.py put into the page: one block of JSON, read once.

/** One finding. Rings are x, y, x, y, ... in pixels of the picture, y down; texts are as a person reads them. */
export interface Finding {
  id: number;
  kind: string;
  direction: string;
  confidence: number;
  area: number;
  length: number;
  zone: string | null;
  name: string;
  facts: [string, string][];
  places: [string, string][];
  rings: number[][];
}

/** A finding close up at full resolution, where the picture is reduced: data URIs, and the part of the picture. */
export interface Chip {
  before: string;
  after: string;
  box: [number, number, number, number];
}

export interface Data {
  width: number;
  height: number;
  /** Metres a pixel of the picture. */
  metres: number;
  /** Full-resolution pixels a pixel of the picture: 1 where it is not reduced. */
  reduced: number;
  /** Longitudes and latitudes at `side` by `side` nodes spread over the picture, row by row from its top left. */
  nodes: { side: number; lonlat: number[] };
  kinds: Record<string, { colour: string; mark: string }>;
  dashes: Record<string, number[]>;
  findings: Finding[];
  chips: Record<string, Chip>;
}

export const data = JSON.parse(byId("data").textContent ?? "") as Data;
/** What the timeline tells of a finding, by its id; nothing where the site is not followed. */
const followed = JSON.parse(byId("followed").textContent ?? "{}") as Record<string, [string, string][]>;
for (const finding of data.findings) finding.facts.push(...(followed[finding.id] ?? []));

export const findings = new Map(data.findings.map((finding) => [finding.id, finding]));

/** The element of an id, which must be there. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as Kind;
}

/** Of a finding: west, north, east, south in pixels of the picture. */
export function bounds(finding: Finding): [number, number, number, number] {
  const xs: number[] = [], ys: number[] = [];
  for (const ring of finding.rings) ring.forEach((value, i) => (i % 2 ? ys : xs).push(value));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Longitude and latitude of a point of the picture, between its four nearest nodes. */
export function lonLat(x: number, y: number): [number, number] {
  const { side, lonlat } = data.nodes;
  const across = (x / data.width) * (side - 1), down = (y / data.height) * (side - 1);
  const col = Math.min(Math.max(Math.floor(across), 0), side - 2), row = Math.min(Math.max(Math.floor(down), 0), side - 2);
  const u = across - col, v = down - row;
  const at = (r: number, c: number, i: number) => lonlat[2 * (r * side + c) + i] ?? NaN;
  const between = (i: number) =>
    (1 - v) * ((1 - u) * at(row, col, i) + u * at(row, col + 1, i)) + v * ((1 - u) * at(row + 1, col, i) + u * at(row + 1, col + 1, i));
  return [between(0), between(1)];
}
