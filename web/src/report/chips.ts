// A finding close up, cut out of the pictures in the page; or as it came, where the picture is reduced.
import { bounds, byId, data, type Chip, type Finding } from "./data.js";
import { kindOf } from "./outlines.js";

const SIDE = 440; // canvas pixels a side
const SURROUNDINGS = 72; // full-resolution pixels a side, at least

export type Side = "before" | "after";

/** A square part of the picture around a finding, moved into the picture where it would stick out. */
function around(finding: Finding): [number, number, number, number] {
  const [x0, y0, x1, y1] = bounds(finding);
  const side = Math.min(Math.max(SURROUNDINGS / data.reduced, 1.5 * Math.max(x1 - x0, y1 - y0)), data.width, data.height);
  const start = (low: number, high: number, size: number) => Math.min(Math.max((low + high - side) / 2, 0), size - side);
  const left = start(x0, x1, data.width), top = start(y0, y1, data.height);
  return [left, top, left + side, top + side];
}

const loaded = new Map<string, HTMLImageElement>();

function image(uri: string): HTMLImageElement {
  const made = loaded.get(uri) ?? new Image();
  if (!loaded.has(uri)) made.src = uri;
  loaded.set(uri, made);
  return made;
}

/** Decode all close ups ahead, so that they are there when the page is printed. */
export function preloadChips(): void {
  for (const { before, after } of Object.values(data.chips)) for (const uri of [before, after]) image(uri);
}

/** Draw it on a canvas, and its outline over it: at once where its picture is there, else when it is. */
export function drawChip(canvas: HTMLCanvasElement, finding: Finding, side: Side): void {
  const chip: Chip | undefined = data.chips[finding.id];
  const picture = chip ? image(chip[side]) : byId<HTMLImageElement>(`image-${side}`);
  if (picture.complete) draw(canvas, picture, finding, chip);
  else picture.addEventListener("load", () => draw(canvas, picture, finding, chip), { once: true });
}

function draw(canvas: HTMLCanvasElement, picture: HTMLImageElement, finding: Finding, chip: Chip | undefined): void {
  const [left, top, right, bottom] = chip?.box ?? around(finding), scale = SIDE / Math.max(right - left, bottom - top);
  canvas.width = Math.round((right - left) * scale);
  canvas.height = Math.round((bottom - top) * scale);
  const context = canvas.getContext("2d")!;
  const from: [number, number, number, number] = chip
    ? [0, 0, picture.naturalWidth, picture.naturalHeight]
    : [left, top, right - left, bottom - top];
  context.imageSmoothingEnabled = from[2] > SIDE / 3; // fewer pixels are shown as what they are
  context.drawImage(picture, ...from, 0, 0, canvas.width, canvas.height);
  outline(context, finding, left, top, scale);
}

function outline(context: CanvasRenderingContext2D, finding: Finding, left: number, top: number, scale: number): void {
  context.beginPath();
  for (const ring of finding.rings) {
    for (let i = 0; i < ring.length; i += 2) {
      const x = (ring[i]! - left) * scale, y = (ring[i + 1]! - top) * scale;
      if (i) context.lineTo(x, y);
      else context.moveTo(x, y);
    }
    context.closePath();
  }
  context.lineJoin = "round";
  for (const [colour, width] of [["rgba(0, 0, 0, 0.65)", 9], [kindOf(finding.kind).colour, 5]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(width === 5 ? (data.dashes[finding.direction] ?? []).map((step) => step * 6) : []);
    context.stroke();
  }
}
