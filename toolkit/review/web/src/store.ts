import { batch, computed, signal } from "@preact/signals";
import { Refused, act, failure, flush, get, post, restore, unsent } from "./api";
import type { Answer, Json, Loaded, Progress, Question, Row, State } from "./types";

export const PAGE = 100;
export const state = signal<State | null>(null);
export const progress = signal<Progress>({ undecided: 0, decided: 0, conflict: 0, changed: 0 });
export const order = signal("worst");
export const filter = signal<Record<string, string>>({ status: "undecided" });
export const queue = signal({ id: 0, total: 0 });
export const rows = signal(new Map<number, Row>());
export const place = signal(0);
export const loaded = signal<Loaded | null>(null);
export const focus = signal(0);
export const saved = signal("");
export const panel = signal<"" | "help" | "history" | "find" | "note" | "conflicts">("");
export const hides = signal(false);
export const dark = signal(localStorage.getItem("goldlabel-theme") ?? "");

export const question = computed<Question | null>(
  () => loaded.value?.scene.questions[focus.value] ?? null,
);

const ahead = new Map<number, Promise<Loaded>>();
let since = Date.now();
let seq = 0; // up to which changes are known: an answer to an action of one's own does not say

export async function begin(): Promise<void> {
  await refresh();
  seq = state.value?.seq ?? 0;
  restore(state.value?.folder ?? "");
  const [, example] = /#(\d+)/.exec(location.hash) ?? [];
  await newQueue(example === undefined ? undefined : Number(example));
  setInterval(poll, 2000);
}

async function refresh(): Promise<void> {
  let found: State = await get("/api/state");
  const own = Number(sessionStorage.getItem(`goldlabel-reviewer ${found.folder}`));
  if (found.reviewers.some((each) => each.reviewer === own)) found = { ...found, reviewer: own };
  batch(() => {
    state.value = found;
    progress.value = found.progress;
  });
}

export async function newQueue(example?: number): Promise<void> {
  const chosen = Object.fromEntries(Object.entries(filter.value).filter(([, value]) => value));
  const made = await post("/api/queues", { order: order.value, filter: chosen, example: example ?? -1 });
  batch(() => {
    queue.value = { id: made.queue, total: made.total };
    rows.value = new Map();
    place.value = made.place ?? 0;
  });
  await fetchRows(place.value);
  if (example !== undefined) await open(example);
  else if (made.total) await openPlace(0);
  else loaded.value = null;
}

export async function fetchRows(from: number): Promise<void> {
  const id = queue.value.id;
  const start = Math.floor(from / PAGE) * PAGE;
  if (rows.value.has(start)) return;
  const page = await get(`/api/queues/${id}?from=${start}&n=${PAGE}`);
  if (id !== queue.value.id) return;
  const known = new Map(rows.value);
  page.rows.forEach((row: Row, at: number) => known.set(start + at, row));
  rows.value = known;
}

function load(example: number): Promise<Loaded> {
  let found = ahead.get(example);
  if (!found) {
    found = get(`/api/examples/${example}`);
    ahead.set(example, found);
    found.catch(() => ahead.delete(example));
    if (ahead.size > 40) ahead.delete(ahead.keys().next().value as number);
  }
  return found;
}

export async function openPlace(at: number): Promise<void> {
  if (at < 0 || at >= queue.value.total) return;
  await fetchRows(at);
  const row = rows.value.get(at);
  if (!row) return;
  place.value = at;
  await open(row.example);
}

export async function open(example: number): Promise<void> {
  try {
    const found = await load(example);
    const undecided = found.answers.findIndex((each) => each.length === 0);
    batch(() => {
      loaded.value = found;
      focus.value = Math.max(undecided, 0);
    });
    history.replaceState(null, "", `#${example}`);
    since = Date.now();
    prefetch();
  } catch (error) {
    complain(error);
  }
}

function prefetch(): void {
  for (let step = 1; step <= 3; step += 1) {
    const row = rows.value.get(place.value + step);
    if (row) load(row.example).then(preloadPictures).catch(() => undefined);
    else if (place.value + step < queue.value.total) fetchRows(place.value + step).catch(complain);
  }
}

function preloadPictures(found: Loaded): void {
  for (const block of found.scene.blocks)
    if (block.type === "picture" || block.type === "layer") {
      const image = new Image();
      image.src = pictureOf(found.scene.example, block.name);
    }
}

export const pictureOf = (example: number, name: string): string =>
  `/api/examples/${example}/pictures/${encodeURIComponent(name)}`;

function complain(error: unknown): void {
  failure.value = error instanceof Refused ? error.message
    : "The server does not answer. What you decided is kept here, and is sent when it does.";
}

/** Keys that are typed while a save is under way wait for it, in order. */
let last: Promise<void> = Promise.resolve();
export function inOrder(work: () => Promise<void>): Promise<void> {
  last = last.then(work).catch(complain);
  return last;
}

/** Move as keys are typed: one that decides waits for the example that was moved to. */
export const move = (to: () => number): Promise<void> => inOrder(() => openPlace(to()));

export function decide(answer: Answer): Promise<void> {
  return inOrder(async () => {
    const shown = loaded.value;
    const asked = question.value;
    if (!shown || !asked || state.value?.read_only) return;
    const example = shown.scene.example;
    const index = focus.value;
    saved.value = "saving";
    const done = await act("/api/actions", sign({
      seconds: (Date.now() - since) / 1000,
      answers: [{ example, question: index, answer }],
    })).catch((error) => { saved.value = ""; throw error; });
    take(done);
    const label = answer.label ?? (answer.verdict === "accept" ? asked.suggested
      : answer.verdict === "keep" ? asked.given : answer.verdict);
    const left = progress.value.undecided;
    saved.value = `saved: ${label || answer.verdict}, ${left} left`;
    if (index + 1 < shown.scene.questions.length) {
      const again = await load(example);
      batch(() => { loaded.value = again; focus.value = index + 1; });
      since = Date.now();
    } else await forward();
  });
}

/** Go on to the next example of the queue that is not decided yet. */
async function forward(): Promise<void> {
  for (let at = place.value + 1; at < queue.value.total; at += 1) {
    await fetchRows(at);
    if (rows.value.get(at)?.status !== "decided") return openPlace(at);
  }
  const shown = loaded.value;
  if (shown) await open(shown.scene.example);
  saved.value = `${saved.value}. This is the end of the queue`;
}

export function takeBack(redo: boolean, action?: number): Promise<void> {
  return inOrder(async () => {
    const body = sign(action === undefined ? {} : { action });
    const done = await act(redo ? "/api/redo" : "/api/undo", body);
    take(done);
    saved.value = redo ? "done again" : "taken back";
    if (done?.example !== null && done?.example !== undefined) {
      const at = [...rows.value].find(([, row]) => row.example === done.example)?.[0];
      if (at === undefined) await newQueue(done.example);
      else {
        place.value = at;
        await open(done.example);
      }
    }
  });
}

export function note(text: string): Promise<void> {
  return inOrder(async () => {
    const example = loaded.value?.scene.example;
    if (example === undefined || !text.trim()) return;
    await act("/api/actions", sign({ note: text, example }));
    saved.value = "note saved";
  });
}

function take(done: Json | undefined): void {
  if (!done) return;
  const changed = new Map<number, Row>((done.rows ?? []).map((row: Row) => [row.example, row]));
  for (const example of changed.keys()) ahead.delete(example);
  const known = new Map(rows.value);
  for (const [at, row] of known) {
    const now = changed.get(row.example);
    if (now) known.set(at, now);
  }
  batch(() => {
    rows.value = known;
    if (done.progress) progress.value = done.progress;
  });
}

/** What a reviewer does says who: the page may have another name than the server was started with. */
function sign(body: Json): Json {
  return { reviewer: state.value?.reviewer, ...body };
}

async function poll(): Promise<void> {
  if (document.hidden) return;
  try {
    if (unsent.value) await flush();
    if (!state.value?.ready) {
      await refresh();
      if (state.value?.ready && loaded.value) {
        ahead.clear();
        await open(loaded.value.scene.example);
      }
    }
    const news = await get(`/api/changes?after=${seq}`);
    seq = Math.max(seq, news.seq);
    take(news);
    if (news.reload) await newQueue(loaded.value?.scene.example); // too much to tell row by row
    if (failure.value.startsWith("The server")) failure.value = "";
  } catch (error) {
    complain(error);
  }
}

export async function enter(name: string): Promise<void> {
  try {
    const who = await post("/api/reviewers", { name });
    sessionStorage.setItem(`goldlabel-reviewer ${state.value?.folder}`, String(who.reviewer));
    await refresh();
  } catch (error) {
    complain(error);
  }
}

export async function exportNow(): Promise<void> {
  try {
    const done = await post("/api/export", {});
    saved.value = done.out ? `${done.changed} labels changed: ${done.out}` : `decisions: ${done.decisions}`;
  } catch (error) {
    complain(error);
  }
}
