import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api";
import { decide, loaded, note, open, panel, state, takeBack } from "./store";
import type { Json } from "./types";

export function Panels() {
  switch (panel.value) {
    case "help": return <Dialog title="Keys"><Help /></Dialog>;
    case "history": return <Dialog title="History"><History /></Dialog>;
    case "conflicts": return <Dialog title="Conflicts"><Conflicts /></Dialog>;
    case "find": return <Dialog title="Find a class"><Find /></Dialog>;
    case "note": return <Dialog title="Note"><Note /></Dialog>;
    default: return null;
  }
}

const close = () => { panel.value = ""; };

function Dialog({ title, children }: { title: string; children: any }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("input, textarea")?.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={close} onClick={(event) => { if (event.target === dialog.current) close(); }}>
      <header><h2>{title}</h2><button onClick={close} aria-label="Close">Esc</button></header>
      {children}
    </dialog>
  );
}

const KEYS: [string, string][] = [
  ["Enter", "accept the suggestion, go on"], ["K", "keep the given label, go on"],
  ["1 – 9", "the alternative of that number"], ["/", "find a class by typing"],
  ["U  Q  S  X", "unsure, ask an expert, skip, unusable"], ["Z  ·  Shift Z", "undo, redo"],
  ["J  ·  ↑ ↓", "move without deciding"], ["Tab", "next question of the example"],
  ["Space", "flip the switch in focus"], ["N", "write a note"], ["H", "hold: hide what lies over it"],
  ["F  +  −", "fit, zoom; drag and wheel as well"], ["Y", "history"], ["C", "conflicts"],
  ["Delete", "no box at all"], ["?", "this list"], ["Esc", "leave"],
];

function Help() {
  return <dl class="help">{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>;
}

function History() {
  const found = useSignal<Json[]>([]);
  const fetchNow = () => get("/api/history?n=100").then((answer) => { found.value = answer.actions; });
  useEffect(() => { fetchNow(); }, []);
  const mine = state.value?.reviewers.find((each) => each.reviewer === state.value?.reviewer)?.name;
  return (
    <ol class="history">
      {found.value.map((each) => (
        <li key={each.seq} class={each.verb === "decide" && !each.in_force ? "gone" : ""}>
          <button onClick={() => { close(); if (each.example !== null) open(each.example); }}>
            <b dir="auto">{each.id ?? ""}</b> {sentence(each)}
            <small>{`${each.reviewer}, ${new Date(each.at).toLocaleString()}`}</small>
          </button>
          {each.verb === "decide" && each.in_force && each.reviewer === mine && !state.value?.read_only && (
            <button class="back" onClick={() => takeBack(false, each.seq).then(fetchNow)}>take back</button>
          )}
        </li>
      ))}
      {found.value.length === 0 && <li>Nothing has been decided yet.</li>}
    </ol>
  );
}

function sentence(each: Json): string {
  if (each.verb === "note") return `note: ${each.text}`;
  const many = each.labels > 1 ? ` (${each.labels} labels)` : "";
  const what = each.verdict === "keep" ? `kept ${each.given || "as it is"}`
    : each.label ? `${each.given || "nothing"} → ${each.label}` : each.verdict;
  return `${each.verb === "decide" ? "" : `${each.verb}: `}${what}${many}`;
}

function Conflicts() {
  const found = useSignal<Json[]>([]);
  useEffect(() => { get("/api/conflicts").then((answer) => { found.value = answer.conflicts; }); }, []);
  return (
    <ol class="history">
      {found.value.map((each) => (
        <li key={`${each.example} ${each.part}`}>
          <button onClick={() => { close(); open(each.example); }}>
            <b dir="auto">{each.id}</b> {each.answers.map((one: Json) => `${one.reviewer}: ${one.label || one.verdict}`).join(" · ")}
          </button>
        </li>
      ))}
      {found.value.length === 0 && <li>Nobody disagrees.</li>}
    </ol>
  );
}

/** Prefixes first, then beginnings of words, then letters in their order. */
export function ranked(classes: string[], text: string): string[] {
  const wanted = text.toLocaleLowerCase().trim();
  if (!wanted) return classes;
  const score = (name: string): number => {
    const low = name.toLocaleLowerCase();
    if (low.startsWith(wanted)) return 0;
    if (low.split(/[\s_\-./]+/).some((part) => part.startsWith(wanted))) return 1;
    if (low.includes(wanted)) return 2;
    let from = 0;
    for (const letter of wanted) {
      from = low.indexOf(letter, from) + 1;
      if (from === 0) return 9;
    }
    return 3;
  };
  return classes.map((name) => [score(name), name] as const).filter(([rank]) => rank < 9)
    .sort((a, b) => a[0] - b[0]).map(([, name]) => name);
}

function Find() {
  const text = useSignal("");
  const found = ranked(state.value?.classes ?? [], text.value).slice(0, 50);
  const choose = (label: string) => { close(); decide({ verdict: "set", label }); };
  return (
    <form class="find" onSubmit={(event) => { event.preventDefault(); if (found[0]) choose(found[0]); }}>
      <input aria-label="Class" autocomplete="off" value={text.value}
        onInput={(event) => { text.value = event.currentTarget.value; }} />
      <ul>{found.map((label, at) => (
        <li key={label}><button type="button" class={at === 0 ? "first" : ""} onClick={() => choose(label)} dir="auto">{label}</button></li>
      ))}</ul>
      {found.length === 0 && <p>No class is called so.</p>}
    </form>
  );
}

function Note() {
  const text = useRef<HTMLTextAreaElement>(null);
  const send = () => { const written = text.current?.value ?? ""; close(); note(written); };
  return (
    <form class="find" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <textarea ref={text} rows={4} aria-label={`Note on ${loaded.value?.scene.id ?? ""}`}
        onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(); }} />
      <button type="submit">Save the note</button>
    </form>
  );
}
