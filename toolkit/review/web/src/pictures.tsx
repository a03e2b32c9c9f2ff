import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { hides, pictureOf, question } from "./store";
import type { Block, Box } from "./types";

type Shown = Extract<Block, { type: "picture" } | { type: "layer" }>;

/** Zoom and pan stay from picture to picture. */
const view = signal({ scale: 1, x: 0, y: 0 });
const layer = signal("given");
/** Size of the picture as it is drawn: it is fitted into its place, and so is what lies over it. */
const natural = signal({ width: 0, height: 0 });
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export const fit = () => { view.value = { scale: 1, x: 0, y: 0 }; };
export const zoom = (factor: number) => {
  const scale = Math.min(40, Math.max(1, view.value.scale * factor));
  view.value = scale === 1 ? { scale, x: 0, y: 0 } : { ...view.value, scale };
};

export function Pictures({ example, blocks }: { example: number; blocks: Shown[] }) {
  const base = blocks.find((each) => each.type === "picture") as Extract<Block, { type: "picture" }> | undefined;
  const layers = blocks.filter((each) => each.type === "layer") as Extract<Block, { type: "layer" }>[];
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2); };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, []);
  const drag = (event: PointerEvent) => {
    if (event.buttons !== 1) return;
    view.value = { ...view.value, x: view.value.x + event.movementX, y: view.value.y + event.movementY };
  };
  const { scale, x, y } = view.value;
  const shown = layers.find((each) => each.kind === layer.value) ?? layers[0];
  return (
    <figure class="pictures">
      <div class="stage" ref={box} onPointerMove={drag} onDblClick={fit}>
        <div class="moved" style={{ transform: `translate(${x}px, ${y}px) scale(${scale})` }}>
          {base && (
            <img src={pictureOf(example, base.name)} alt={base.caption || "picture of the example"}
              class={base.upright ? "" : "stored"} draggable={false} onLoad={measure} />
          )}
          {shown && !hides.value && (
            <img class={base ? "layer over" : "layer"} src={pictureOf(example, shown.name)} alt={shown.caption} draggable={false} />
          )}
          {!hides.value && <Overlay width={base?.width ?? 0} height={base?.height ?? 0} />}
        </div>
      </div>
      {layers.length > 0 && (
        <figcaption class="layers" role="group" aria-label="Layer">
          {layers.map((each) => (
            <button key={each.name} aria-pressed={each === shown} onClick={() => { layer.value = each.kind; }}>
              {each.caption || each.kind}
            </button>
          ))}
        </figcaption>
      )}
    </figure>
  );
}

function measure(event: Event): void {
  const image = event.currentTarget as HTMLImageElement;
  natural.value = { width: image.naturalWidth, height: image.naturalHeight };
}

function Overlay({ width, height }: { width: number; height: number }) {
  const asked = question.value;
  const drawn = natural.value;
  if (!asked || !width || !height || !drawn.width || !drawn.height) return null;
  const stroke = Math.max(width, height) / 250 / view.value.scale;
  const size = Math.max(width, height) / 28 / Math.sqrt(view.value.scale);
  const common = { viewBox: `0 0 ${drawn.width} ${drawn.height}`, "aria-hidden": true };
  const scaled = `scale(${drawn.width / width} ${drawn.height / height})`;
  if (asked.type === "shapes") return (
    <svg class="overlay" {...common}><g transform={scaled}>
      {asked.others.map((each, at) => <Rectangle key={`o${at}`} box={each} kind="other" stroke={stroke / 2} size={0} letter="" />)}
      {asked.boxes.map((each, at) => (
        <Rectangle key={at} box={each} kind={each.role} stroke={stroke} size={size} letter={LETTERS[at]} />
      ))}
    </g></svg>
  );
  if (asked.type === "regions") return (
    <svg class="overlay" {...common}><g transform={scaled}>
      {asked.regions.map((each, at) => (
        <g key={at}>
          {each.outline.length
            ? each.outline.map((points, number) => (
              <polygon key={number} class="region" points={points.map((point) => point.join(",")).join(" ")} stroke-width={stroke} />
            ))
            : <rect class="region" x={each.x} y={each.y} width={each.width} height={each.height} stroke-width={stroke} />}
        </g>
      ))}
    </g></svg>
  );
  return null;
}

function Rectangle({ box, kind, stroke, size, letter }: { box: Box; kind: string; stroke: number; size: number; letter: string }) {
  const { x1, y1, x2, y2 } = box;
  const sides = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
  return (
    <g class={kind}>
      <rect class="under" {...sides} stroke-width={stroke * 2.4} />
      <rect {...sides} stroke-width={stroke} stroke-dasharray={kind === "suggested" ? `${stroke * 4} ${stroke * 3}` : undefined} />
      {size > 0 && <text x={x1 + stroke * 2} y={Math.max(y1 - stroke * 2, size)} font-size={size} stroke-width={size / 6}>{`${letter} ${box.label}`}</text>}
    </g>
  );
}
