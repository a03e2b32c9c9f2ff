import { signal } from "@preact/signals";
import type { Json } from "./types";

/** What could not be sent is kept here, with its uid, and sent first at the next contact. */
let place = "";
export const unsent = signal(0);
export const failure = signal("");

export class Refused extends Error {}

async function call(path: string, body?: Json): Promise<Json> {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const content = await answer.json();
  if (!answer.ok) {
    const { where, what, fix } = content.error;
    throw new Refused(`${where}: ${what}. ${fix}.`);
  }
  return content;
}

export const get = (path: string): Promise<any> => call(path);
export const post = (path: string, body: Json): Promise<any> => call(path, body);

function kept(): { path: string; body: Json }[] {
  try {
    const found = JSON.parse(localStorage.getItem(place) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function keep(entries: { path: string; body: Json }[]): void {
  if (entries.length) localStorage.setItem(place, JSON.stringify(entries));
  else localStorage.removeItem(place);
  unsent.value = entries.length;
}

/** Send an action; the same uid twice is stored once, so what failed may be sent again. */
export async function act(path: string, body: Json): Promise<any> {
  const uid = crypto.randomUUID();
  const action = { path, body: { uid, ...body } };
  keep([...kept(), action]);
  // Where another round of sending, or another tab, took it along, the answer is asked for again.
  return (await flush(uid)) ?? post(path, action.body);
}

/** Forget what has arrived; what was added meanwhile, by another tab too, stays. */
function forget(uid: string): void {
  keep(kept().filter((each) => each.body.uid !== uid));
}

let sending: Promise<any> = Promise.resolve();

export function flush(uid = ""): Promise<any> {
  sending = sending.catch(() => undefined).then(() => sendAll(uid));
  return sending;
}

async function sendAll(uid: string): Promise<any> {
  let mine: any;
  for (let [first] = kept(); first; [first] = kept()) {
    let answer: any;
    try {
      answer = await post(first.path, first.body);
    } catch (error) {
      if (!(error instanceof Refused)) {
        unsent.value = kept().length;
        throw error;
      }
      forget(first.body.uid); // it will never be taken
      if (first.body.uid === uid) throw error;
      failure.value = error.message;
      continue;
    }
    forget(first.body.uid);
    if (first.body.uid === uid) mine = answer;
  }
  return mine;
}

/** Each audit has its own: a port may have served another one before. */
export function restore(folder: string): void {
  place = `goldlabel-unsent ${folder}`;
  unsent.value = kept().length;
  if (unsent.value) flush().catch(() => undefined);
}
