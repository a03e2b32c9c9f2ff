import { hides, loaded, question } from "./store";
import type { Block, Span } from "./types";

type Text = Extract<Block, { type: "pieces" }>;

/** Given spans above the words, suggested ones below; what is asked about stands out. */
export function Pieces({ block }: { block: Text }) {
  const asked = question.value?.type === "spans" ? question.value : null;
  const own = (parts: number[]) => new Set(parts);
  const parts = own(question.value?.parts ?? []);
  const inside = (at: number) => (asked ? at >= asked.first && at < asked.stop : parts.has(at));
  const suggested = (loaded.value?.scene.questions ?? []).flatMap((each) =>
    each.type === "spans" ? each.spans_suggested : []);
  const starts = (spans: Span[], at: number) => spans.find((span) => span.first === at);
  const covers = (spans: Span[], at: number) => spans.some((span) => at >= span.first && at < span.stop);
  return (
    <p class={`pieces ${hides.value ? "bare" : ""}`} dir="auto">
      {block.gaps[0]}
      {block.words.map((word, at) => (
        <>
          <span class={`word ${inside(at) ? "asked" : ""}`}>
            <i class={covers(block.spans, at) ? "given on" : "given"}>{starts(block.spans, at)?.label}</i>
            <span>{word}</span>
            <i class={covers(suggested, at) ? "suggested on" : "suggested"}>{starts(suggested, at)?.label}</i>
          </span>
          {block.gaps[at + 1]}
        </>
      ))}
    </p>
  );
}
