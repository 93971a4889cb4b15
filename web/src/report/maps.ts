// Both dates on a canvas: one over the other with a divider or a fade, or side by side in one linked view.
import OlMap from "ol/Map.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import View from "ol/View.js";
import MousePosition from "ol/control/MousePosition.js";
import ScaleLine from "ol/control/ScaleLine.js";
import { defaults as usualInteractions } from "ol/interaction/defaults.js";
import DragPan from "ol/interaction/DragPan.js";
import MouseWheelZoom from "ol/interaction/MouseWheelZoom.js";
import ImageLayer from "ol/layer/Image.js";
import Projection from "ol/proj/Projection.js";
import { getRenderPixel } from "ol/render.js";
import type RenderEvent from "ol/render/Event.js";
import Static from "ol/source/ImageStatic.js";
import { bounds, byId, data, findings, lonLat } from "./data.js";
import { Outlines } from "./outlines.js";
import type { State } from "./state.js";

export type Mode = "swipe" | "fade" | "side";

const EXTENT: [number, number, number, number] = [0, 0, data.width, data.height];
const CLOSEST = 1 / 16; // picture pixels a screen pixel
const SHARP = 1 / 6; // closer than that, pixels are shown as what they are
const BESIDE = 8, PLATES = 46; // screen pixels left free around the whole picture, for what is said of it
const STILL = matchMedia("(prefers-reduced-motion: reduce)").matches;

// A picture on any grid: pixels of it, of one size on the ground.
const PICTURE = new Projection({
  code: "picture", units: "pixels", extent: EXTENT, metersPerUnit: data.metres, getPointResolution: (resolution) => resolution,
});

/** The image of an <img> in the page; null where the page has none. */
function source(id: string): Static | null {
  const image = document.getElementById(id) as HTMLImageElement | null;
  return image && new Static({ url: image.src, imageExtent: EXTENT, projection: PICTURE });
}

const sources = {
  before: source("image-before"), after: source("image-after"),
  hatch: source("image-hatch"), probability: source("image-probability"),
};

/** One canvas: both images, what was not observed, probability, findings. */
class Pane {
  readonly map: OlMap;
  readonly before = layer(sources.before);
  readonly after = layer(sources.after);
  readonly probability = layer(sources.probability, false);
  readonly outlines: Outlines;

  constructor(state: State, view: View, controls: (ScaleLine | MousePosition)[]) {
    this.outlines = new Outlines(state);
    this.map = new OlMap({
      view, controls,
      layers: [this.before, this.after, layer(sources.hatch), this.probability, this.outlines.lines, this.outlines.numbers],
      interactions: usualInteractions({ mouseWheelZoom: false, dragPan: false, altShiftDragRotate: false, pinchRotate: false }).extend([
        // A page that is scrolled goes on where there is nothing to zoom out of, or to move.
        new MouseWheelZoom({ condition: (event) => !isWhole(view, this.map) || (event.originalEvent as WheelEvent).deltaY < 0 }),
        new DragPan({ condition: ({ originalEvent }) => (originalEvent as PointerEvent).pointerType !== "touch" || !isWhole(view, this.map) }),
      ]),
    });
  }
}

function layer(image: Static | null, visible = true): ImageLayer<Static> {
  const made = new ImageLayer<Static>({ visible, ...(image ? { source: image } : {}) });
  made.on("prerender", (event) => {
    const closer = (event.frameState?.viewState.resolution ?? 1) < SHARP;
    if (closer) (event.context as CanvasRenderingContext2D).imageSmoothingEnabled = false;
  });
  return made;
}

/** The resolution at which all of the picture is in sight, and no plate lies over it. */
function fitting(map: OlMap): number {
  const [width = 1, height = 1] = map.getSize() ?? [];
  return Math.max(data.width / Math.max(width - 2 * BESIDE, 1), data.height / Math.max(height - 2 * PLATES, 1));
}

/** Whether all of the picture is in sight. */
function isWhole(view: View, map: OlMap): boolean {
  return (view.getResolution() ?? 0) >= fitting(map) * 0.999;
}

/** The viewer: what is shown of it, and where. */
export class Maps {
  private mode: Mode = "swipe";
  private divider = 0.5;
  private readonly view = new View({
    projection: PICTURE, extent: EXTENT, constrainOnlyCenter: true, smoothExtentConstraint: false, enableRotation: false,
    center: [data.width / 2, data.height / 2], resolution: data.width / 800, minResolution: CLOSEST, maxResolution: Math.max(data.width, data.height) / 120,
    smoothResolutionConstraint: false,
  });
  private readonly left: Pane;
  private readonly right: Pane;

  constructor(private readonly state: State) {
    const scale = new ScaleLine({ minWidth: 70, maxWidth: 150, target: byId("scale") });
    const position = new MousePosition({ coordinateFormat: written, placeholder: "", target: byId("pointer") });
    this.left = new Pane(state, this.view, [scale, position]);
    this.right = new Pane(state, this.view, [new MousePosition({ coordinateFormat: written, placeholder: "", target: byId("pointer") })]);
    this.left.after.on("prerender", (event) => this.clip(event));
    this.left.after.on("postrender", (event) => (event.context as CanvasRenderingContext2D).restore());
    this.left.map.setTarget("map-left");
    this.showAll(false);
    for (const pane of [this.left, this.right]) this.listen(pane);
    state.on("choice", () => this.goTo(state.chosen));
    new ResizeObserver(() => this.resized()).observe(byId("viewer"));
  }

  /** Resolves when both images and all outlines are on the canvas. */
  drawn(): Promise<void> {
    return new Promise((resolve) => this.left.map.once("rendercomplete", () => resolve()));
  }

  setMode(mode: Mode, fade: number): void {
    const whole = isWhole(this.view, this.left.map);
    this.mode = mode;
    byId("viewer").dataset["mode"] = mode;
    this.right.before.setVisible(false);
    this.left.after.setVisible(mode !== "side");
    this.left.after.setOpacity(mode === "fade" ? fade : 1);
    this.right.map.setTarget(mode === "side" ? "map-right" : undefined);
    this.left.map.updateSize();
    if (whole) this.showAll(false);
  }

  /** Where the divider stands, as a share of the width. */
  setDivider(share: number): void {
    this.divider = share;
    this.left.map.render();
  }

  show(what: "lines" | "numbers" | "probability", visible: boolean): void {
    for (const pane of [this.left, this.right]) (what === "probability" ? pane.probability : pane.outlines[what]).setVisible(visible);
  }

  showAll(moving = true): void {
    const to = { center: [data.width / 2, data.height / 2], resolution: fitting(this.left.map) };
    this.view.cancelAnimations();
    if (moving && !STILL) this.view.animate({ ...to, duration: 280 });
    else {
      this.view.setResolution(to.resolution);
      this.view.setCenter(to.center);
    }
  }

  zoom(by: number): void {
    this.view.cancelAnimations();
    this.view.animate({ zoom: (this.view.getZoom() ?? 0) + by, duration: STILL ? 0 : 180 });
  }

  private goTo(id: number | null): void {
    const finding = id === null ? undefined : findings.get(id);
    if (!finding) return;
    const [x0, y0, x1, y1] = bounds(finding), room = Math.max(x1 - x0, y1 - y0, 12) * 0.75;
    const around = [x0 - room, data.height - y1 - room, x1 + room, data.height - y0 + room];
    this.view.cancelAnimations();
    this.view.fit(around, { size: this.left.map.getSize()!, minResolution: SHARP, duration: STILL ? 0 : 320 });
  }

  private clip(event: RenderEvent): void {
    const context = event.context as CanvasRenderingContext2D, [width, height] = this.left.map.getSize()!;
    context.save();
    if (this.mode !== "swipe") return;
    const from = getRenderPixel(event, [width! * this.divider, 0]), to = getRenderPixel(event, [width!, height!]);
    context.beginPath();
    context.rect(from[0]!, from[1]!, to[0]! - from[0]!, to[1]! - from[1]!);
    context.clip();
  }

  private resized(): void {
    const whole = isWhole(this.view, this.left.map);
    for (const pane of [this.left, this.right]) pane.map.updateSize();
    if (whole) this.showAll(false);
  }

  private listen(pane: Pane): void {
    const at = (event: MapBrowserEvent) =>
      pane.map.forEachFeatureAtPixel(event.pixel, (feature) => feature.getId() as number, { hitTolerance: 4 });
    pane.map.on("click", (event) => {
      const id = at(event);
      if (id !== undefined) this.state.choose(id);
    });
    pane.map.on("pointermove", (event) => {
      if (event.dragging) return;
      const id = at(event) ?? null;
      pane.map.getTargetElement()?.classList.toggle("over", id !== null);
      if (id === pane.outlines.pointed) return;
      pane.outlines.pointed = id;
      pane.outlines.lines.changed();
    });
    pane.map.on("pointermove", (event) => this.mirror(pane, event.coordinate));
    pane.map.getViewport()?.addEventListener("pointerleave", () => this.mirror(pane, null));
  }

  /** A cross where the pointer of one map would be on the other. */
  private mirror(from: Pane, at: number[] | null): void {
    const cross = byId(from === this.left ? "cross-right" : "cross-left"), { map } = from === this.left ? this.right : this.left;
    const pixel = this.mode === "side" && at ? map.getPixelFromCoordinate(at) : null;
    cross.hidden = !pixel;
    if (pixel) cross.style.transform = `translate(${pixel[0]}px, ${pixel[1]}px)`;
  }
}

function written(coordinate: number[] | undefined): string {
  const [x = -1, y = -1] = coordinate ?? [];
  if (x < 0 || y < 0 || x > data.width || y > data.height) return "";
  const [lon, lat] = lonLat(x, data.height - y);
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}
