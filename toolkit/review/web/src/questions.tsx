import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { decide, focus, loaded, panel, question, state } from "./store";
import type { Answer, Choice, NumberAsked, Question, Switches } from "./types";

const percent = (share: number | null | undefined) => (share === null || share === undefined ? "" : `${Math.round(share * 100)}%`);

/** What the keys 1 to 9 stand for, as printed. */
export function alternatives(asked: Question): [string, number | null][] {
  const labels = asked.type === "choice" ? asked.alternatives
    : asked.type === "shapes" || asked.type === "regions"
      ? asked.labels.map((label): [string, null] => [label, null]) : [];
  return labels.filter(([label]) => label !== asked.given && label !== asked.suggested).slice(0, 9);
}

export function canAccept(asked: Question): boolean {
  return Boolean(asked.suggested || asked.action)
    || asked.type === "switches" || asked.type === "spans";
}

/** Switches as they are set on the page, by part. */
export const switched = signal<Record<string, boolean>>({});
export const typed = signal("");
export const cursor = signal(0);

export function Panel() {
  const shown = loaded.value;
  const asked = question.value;
  useEffect(() => {
    switched.value = {};
    typed.value = "";
    cursor.value = 0;
  }, [shown?.scene.example, focus.value]);
  if (!shown || !asked) return <aside class="question" aria-label="Question" />;
  const count = shown.scene.questions.length;
  const answers = shown.answers[focus.value] ?? [];
  const locked = state.value?.read_only ?? false;
  return (
    <aside class="question" aria-label="Question">
      <p class="count">
        {count > 1 ? `${focus.value + 1} of ${count}` : ""} <b>{asked.kind || "no finding"}</b> {asked.name}
      </p>
      {!(asked.type === "switches" && asked.parts.length > 1) && <dl class="labels">
        <div><dt>given</dt><dd dir="auto">{asked.given || "nothing"}</dd></div>
        <div><dt>suggested</dt><dd dir="auto">{suggestion(asked)}</dd></div>
      </dl>}
      {asked.type === "switches" && <SwitchList asked={asked} />}
      {asked.type === "number" && <NumberField asked={asked} />}
      <div class="keys">
        <Key letter="Enter" off={locked || !canAccept(asked)} act={{ verdict: "accept" }}>
          {acceptWord(asked)} <em>{sure(asked)}</em>
        </Key>
        <Key letter="K" off={locked} act={{ verdict: "keep" }}>
          {keepWord(asked)} <em>{asked.type === "choice" ? percent(ofLabel(asked, asked.given)) : ""}</em>
        </Key>
        {alternatives(asked).map(([label, share], at) => (
          <Key key={label} letter={String(at + 1)} off={locked} act={{ verdict: "set", label }}>
            {label} <em>{percent(share)}</em>
          </Key>
        ))}
        {(state.value?.classes.length ?? 0) > 0 && asked.type !== "spans" && asked.type !== "switches" && (
          <button class="key" disabled={locked} onClick={() => { panel.value = "find"; }}>
            <kbd>/</kbd><span>type to find a class</span>
          </button>
        )}
        {asked.type === "shapes" && asked.given && (
          <Key letter="Delete" off={locked} act={{ verdict: "set", remove: true }}>no box at all</Key>
        )}
      </div>
      <div class="keys few">
        <Key letter="U" off={locked} act={{ verdict: "unsure" }}>unsure</Key>
        <Key letter="Q" off={locked} act={{ verdict: "ask" }}>ask an expert</Key>
        <Key letter="S" off={locked} act={{ verdict: "skip" }}>skip</Key>
        <Key letter="X" off={locked} act={{ verdict: "unusable" }}>unusable</Key>
      </div>
      {answers.length > 0 && (
        <p class={answers.length > 1 ? "said conflict" : "said"}>
          {answers.map((each) => `${each.reviewer}: ${each.verdict}${each.label ? ` ${each.label}` : ""}`).join(" · ")}
        </p>
      )}
    </aside>
  );
}

/** How sure the suggestion is; nothing where no model says. */
function sure(asked: Question): string {
  const own = asked.type === "choice" ? ofLabel(asked, asked.suggested) : null;
  const share = own ?? asked.confidence;
  return share && asked.type !== "switches" ? percent(share) : "";
}

const ofLabel = (asked: Choice, label: string) => asked.alternatives.find(([name]) => name === label)?.[1];

function suggestion(asked: Question): string {
  if (asked.action === "remove") return "no box";
  if (asked.type === "spans")
    return asked.spans_suggested.map((span) => span.label).join(", ") || "nothing";
  return asked.suggested || (asked.type === "switches" ? "see below" : "nothing");
}

function keepWord(asked: Question): string {
  if (asked.type === "switches" && asked.parts.length > 1) return "keep all as given";
  return asked.given ? `keep ${asked.given}` : "nothing there";
}

function acceptWord(asked: Question): string {
  if (asked.type === "switches" && Object.keys(switched.value).length) return "take the switches as set";
  if (asked.type === "number" && typed.value) return `write ${typed.value}`;
  if (asked.type === "switches" && asked.parts.length > 1) return "accept all that is suggested";
  const verb = { add: "add", move: "move", remove: "remove", relabel: "relabel" }[asked.action] ?? "";
  return [verb || "accept", asked.suggested].filter(Boolean).join(" ");
}

/** What Enter does: the suggestion, or what was set or typed in its place. */
export function accept(): void {
  const asked = question.value;
  if (!asked) return;
  if (asked.type === "switches" && Object.keys(switched.value).length) {
    const now = Object.fromEntries(asked.items.map((each) => [String(each.part), Boolean(each.given)]));
    decide({ verdict: "set", switches: { ...now, ...switched.value } });
  } else if (asked.type === "number" && typed.value) decide({ verdict: "set", label: typed.value.replace(",", ".") });
  else if (canAccept(asked)) decide({ verdict: "accept" });
}

function Key(props: { letter: string; off: boolean; act: Answer; children: any }) {
  const run = () => (props.act.verdict === "accept" ? accept() : decide(props.act));
  return (
    <button class="key" disabled={props.off} onClick={run}>
      <kbd>{props.letter}</kbd><span dir="auto">{props.children}</span>
    </button>
  );
}

function SwitchList({ asked }: { asked: Switches }) {
  return (
    <ul class="switches">
      {asked.items.map((each, at) => {
        const now = switched.value[each.part] ?? Boolean(each.given);
        return (
          <li key={each.part} class={`${at === cursor.value ? "here" : ""} ${asked.parts.includes(each.part) ? "differs" : ""}`}>
            <button role="switch" aria-checked={now} disabled={state.value?.read_only}
              onClick={() => { cursor.value = at; flip(asked, at); }}>
              <span class="box" aria-hidden="true">{now ? "✓" : ""}</span>
              <span dir="auto">{each.name}</span>
              <small>{`given ${word(each.given)}${each.probability === null ? "" : ` · model ${percent(each.probability)}`}`}</small>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

const word = (value: boolean | null) => (value === null ? "?" : value ? "yes" : "no");

export function flip(asked: Switches, at: number): void {
  const each = asked.items[at];
  if (!each) return;
  const now = switched.value[each.part] ?? Boolean(each.given);
  switched.value = { ...switched.value, [each.part]: !now };
}

function NumberField({ asked }: { asked: NumberAsked }) {
  const { low, high } = asked;
  return (
    <div class="number">
      {low !== null && high !== null && <p>plausible from <b>{low}</b> to <b>{high}</b> {asked.unit}</p>}
      <label>another number
        <input inputMode="decimal" value={typed.value} disabled={state.value?.read_only}
          onInput={(event) => { typed.value = event.currentTarget.value; }}
          onKeyDown={(event) => { if (event.key === "Enter") { event.stopPropagation(); accept(); } }} />
      </label>
    </div>
  );
}
