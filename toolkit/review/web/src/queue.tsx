import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { fetchRows, filter, move, newQueue, order, place, queue, rows, state } from "./store";

const HEIGHT = 46;
const WORDS = { undecided: "", decided: "done", conflict: "conflict" };

export function Queue() {
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const visible = useSignal(20);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => { visible.value = Math.ceil(element.clientHeight / HEIGHT) + 2; };
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const y = place.value * HEIGHT;
    if (y < element.scrollTop || y + HEIGHT > element.scrollTop + element.clientHeight)
      element.scrollTop = Math.max(0, y - element.clientHeight / 3);
  }, [place.value, queue.value.id]);
  const first = Math.max(0, Math.floor(top.value / HEIGHT) - 1);
  const stop = Math.min(queue.value.total, first + visible.value + 2);
  const shown = Array.from({ length: Math.max(0, stop - first) }, (_, at) => first + at);
  useEffect(() => {
    for (const at of [first, Math.max(first, stop - 1)])
      if (queue.value.total && !rows.value.get(at)) fetchRows(at).catch(() => undefined);
  });
  return (
    <nav class="queue" aria-label="Queue">
      <Filters />
      <div class="rows" ref={box} onScroll={() => { top.value = box.current?.scrollTop ?? 0; }}>
        <div class="tall" style={{ height: `${queue.value.total * HEIGHT}px` }}>
          {shown.map((at) => {
            const row = rows.value.get(at);
            return (
              <button
                key={at}
                class={`row ${at === place.value ? "here" : ""} ${row?.status ?? ""}`}
                style={{ top: `${at * HEIGHT}px` }}
                aria-current={at === place.value}
                onClick={() => move(() => at)}
              >
                <span class="number">{at + 1}</span>
                <span class="what" dir="auto">
                  {row ? <b>{row.id}</b> : "…"}
                  <small>{row && (row.given || row.suggested) ? `${row.given || "nothing"} → ${row.suggested || "?"}` : row?.kind}</small>
                </span>
                <span class="mark">{row ? WORDS[row.status] || row.score.toFixed(2) : ""}</span>
              </button>
            );
          })}
        </div>
      </div>
      <p class="total">{queue.value.total.toLocaleString("en")} in this queue</p>
    </nav>
  );
}

function Filters() {
  const change = (name: string) => (event: Event) => {
    const value = (event.currentTarget as HTMLSelectElement | HTMLInputElement).value;
    if (name === "order") order.value = value;
    else filter.value = { ...filter.value, [name]: value };
    newQueue();
  };
  const kinds = Object.keys(state.value?.kinds ?? {});
  return (
    <div class="filters">
      <label>Order
        <select value={order.value} onChange={change("order")}>
          <option value="worst">worst first</option>
          <option value="dataset">as in the dataset</option>
          <option value="random">random</option>
        </select>
      </label>
      <label>Show
        <select value={filter.value.status ?? ""} onChange={change("status")}>
          <option value="">all</option>
          <option value="undecided">undecided</option>
          <option value="decided">decided</option>
          <option value="conflict">in conflict</option>
        </select>
      </label>
      {kinds.length > 1 && (
        <label>Kind
          <select value={filter.value.kind ?? ""} onChange={change("kind")}>
            <option value="">every kind</option>
            {kinds.map((kind) => <option key={kind} value={kind}>{kind}</option>)}
          </select>
        </label>
      )}
      <label>Id holds
        <input type="search" value={filter.value.text ?? ""} onChange={change("text")} />
      </label>
    </div>
  );
}
