// Findings as vectors: outlines coloured by kind and dashed by direction over a dark casing, and their numbers.
import Feature from "ol/Feature.js";
import type { FeatureLike } from "ol/Feature.js";
import Point from "ol/geom/Point.js";
import Polygon from "ol/geom/Polygon.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorSource from "ol/source/Vector.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import Text from "ol/style/Text.js";
import { data, type Finding } from "./data.js";
import type { State } from "./state.js";

const OTHER = { colour: "#e6e6e6", mark: "" };
const NUMBERED = 60; // findings with numbers where all of the picture is in sight; more would bury it
const EDGE = 0.93 * data.width; // from where on numbers stand to the left of outlines
const WHOLE = Math.max(data.width, data.height) / 900; // picture pixels a screen pixel where it is
const FONT = '700 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const UNSEEN = new Fill({ color: "rgba(0, 0, 0, 0.01)" }); // so that the inside of an outline can be clicked

export const kindOf = (name: string) => data.kinds[name] ?? OTHER;

/** Rings in map coordinates (x right, y up), as OpenLayers closes them. */
function polygon(finding: Finding): Polygon {
  return new Polygon(
    finding.rings.map((ring) => {
      const points: number[][] = [];
      for (let i = 0; i < ring.length; i += 2) points.push([ring[i]!, data.height - ring[i + 1]!]);
      points.push(points[0]!);
      return points;
    }),
  );
}

/** The rightmost point, beside which a number stands; the leftmost where it would leave the picture. */
function anchor(shape: Polygon): Point {
  const points = shape.getCoordinates().flat();
  const farthest = (way: 1 | -1) => points.reduce((best, point) => (way * point[0]! > way * best[0]! ? point : best));
  const right = farthest(1);
  return new Point(right[0]! > EDGE ? farthest(-1) : right);
}

/** Several outer rings come as one polygon: what is drawn (even-odd in effect, no ring overlaps) is the same. */
function features(place: (shape: Polygon) => Polygon | Point): VectorSource {
  return new VectorSource({
    features: data.findings.map((finding) => {
      const feature = new Feature({ geometry: place(polygon(finding)), finding });
      feature.setId(finding.id);
      return feature;
    }),
  });
}

const outlines = features((shape) => shape);
const numbers = features(anchor);
const styles = new Map<string, Style[]>();

/** Made once for each look: thousands of findings share a few dozen. */
function kept(key: string, make: () => Style[]): Style[] {
  const known = styles.get(key) ?? make();
  styles.set(key, known);
  return known;
}

const findingOf = (feature: FeatureLike) => feature.get("finding") as Finding;

function outlineStyle({ kind, direction }: Finding, look: "plain" | "pointed" | "chosen"): Style[] {
  return kept(`${kind} ${direction} ${look}`, () => {
    const wide = look === "plain" ? 2 : 3.5;
    const casing = look === "chosen" ? { color: "#fff", width: 8 } : { color: "rgba(0, 0, 0, 0.65)", width: wide + 2.5 };
    const dash = data.dashes[direction]?.map((step) => step * 3);
    const line = new Stroke({ color: kindOf(kind).colour, width: wide, ...(dash?.length ? { lineDash: dash, lineCap: "butt" as const } : {}) });
    const zIndex = look === "plain" ? 0 : 1;
    return [new Style({ stroke: new Stroke(casing), fill: UNSEEN, zIndex }), new Style({ stroke: line, zIndex })];
  });
}

function numberStyle({ id, kind, rings }: Finding, chosen: boolean): Style {
  const { colour, mark } = kindOf(kind);
  const inward = rings.some((ring) => ring.some((value, i) => i % 2 === 0 && value > EDGE));
  return new Style({
    zIndex: chosen ? 1 : 0,
    text: new Text({
      text: `${mark} ${id}`.trim(), font: FONT, textAlign: inward ? "right" : "left", offsetX: inward ? -8 : 8, padding: [2, 4, 1, 4],
      fill: new Fill({ color: "#000" }), backgroundFill: new Fill({ color: colour }),
      backgroundStroke: new Stroke({ color: chosen ? "#fff" : "#000", width: chosen ? 2.5 : 1 }),
      declutterMode: chosen ? "none" : "declutter",
    }),
  });
}

/** The two layers of one map: they look at `state`, and at what the pointer is over. */
export class Outlines {
  pointed: number | null = null;
  readonly lines: VectorLayer;
  readonly numbers: VectorLayer;

  constructor(state: State) {
    this.lines = new VectorLayer({
      source: outlines,
      style: (feature) => {
        const finding = findingOf(feature);
        if (!state.isShown(finding.id)) return undefined;
        const look = finding.id === state.chosen ? "chosen" : finding.id === this.pointed ? "pointed" : "plain";
        return outlineStyle(finding, look);
      },
    });
    this.numbers = new VectorLayer({
      source: numbers,
      declutter: true,
      renderOrder: (one, other) => findingOf(one).id - findingOf(other).id,
      style: (feature, resolution) => {
        const finding = findingOf(feature), chosen = finding.id === state.chosen;
        const room = NUMBERED * Math.max(1, WHOLE / resolution) ** 2;
        return chosen || state.rank(finding.id) < room ? numberStyle(finding, chosen) : undefined;
      },
    });
    for (const what of ["choice", "filter"] as const) state.on(what, () => this.changed());
  }

  changed(): void {
    this.lines.changed();
    this.numbers.changed();
  }
}
