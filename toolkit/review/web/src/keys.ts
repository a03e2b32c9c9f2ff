import { accept, alternatives, canAccept, cursor, flip } from "./questions";
import { fit, zoom } from "./pictures";
import { decide, focus, hides, loaded, move, panel, place, question, takeBack } from "./store";

/** Letters by what is printed on the key, or by its place where the layout is not Latin. */
function letter(event: KeyboardEvent): string {
  if (/^[a-z?/+\-]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
}

export function listen(): void {
  addEventListener("keydown", (event) => {
    if (panel.value && event.key === "Escape") panel.value = "";
    if (event.isComposing || panel.value || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, select")) return;
    // A button that was reached by Tab is pressed by these; one that was clicked lets go (below).
    if ((event.key === "Enter" || event.key === " ") && target.closest("button, a")) return;
    if (pressed(event)) event.preventDefault();
  });
  addEventListener("click", (event) => {
    if (event.detail > 0 && !panel.value) (event.target as HTMLElement).closest("button")?.blur();
  });
  addEventListener("blur", () => { hides.value = false; });
  addEventListener("keyup", (event) => { if (letter(event) === "h") hides.value = false; });
}

function pressed(event: KeyboardEvent): boolean {
  const asked = question.value;
  const key = letter(event);
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") takeBack(event.shiftKey);
    else if (key === "y") takeBack(true);
    else return false;
    return true;
  }
  const digit = /^(Digit|Numpad)([1-9])$/.exec(event.code)?.[2];
  if (digit && asked && !/^[/?]$/.test(event.key)) { // "/" is Shift+7 on many keyboards
    const chosen = alternatives(asked)[Number(digit) - 1];
    if (chosen) decide({ verdict: "set", label: chosen[0] });
    return true;
  }
  if (event.key === "Enter") {
    if (asked && canAccept(asked)) accept();
    else if (asked?.type === "number") accept();
    return true;
  }
  switch (key) {
    case "k": decide({ verdict: "keep" }); return true;
    case "u": decide({ verdict: "unsure" }); return true;
    case "q": decide({ verdict: "ask" }); return true;
    case "s": decide({ verdict: "skip" }); return true;
    case "x": decide({ verdict: "unusable" }); return true;
    case "z": takeBack(event.shiftKey); return true;
    case "j": step(event.shiftKey ? -1 : 1); return true;
    case "n": panel.value = "note"; return true;
    case "y": panel.value = "history"; return true;
    case "c": panel.value = "conflicts"; return true;
    case "h": hides.value = true; return true;
    case "f": fit(); return true;
    case "+": zoom(1.3); return true;
    case "-": zoom(1 / 1.3); return true;
    case "?": panel.value = "help"; return true;
    case "/": panel.value = "find"; return true;
    case "ArrowDown": return upOrDown(1);
    case "ArrowUp": return upOrDown(-1);
    case "Tab": return next(event.shiftKey ? -1 : 1);
    case " ": if (asked?.type === "switches") flip(asked, cursor.value); return asked?.type === "switches";
    case "Delete":
      if (asked?.type === "shapes" && asked.given) decide({ verdict: "set", remove: true });
      return true;
    default: return false;
  }
}

function step(by: number): void {
  move(() => place.value + by);
}

function upOrDown(by: number): boolean {
  const asked = question.value;
  if (asked?.type === "switches") {
    cursor.value = Math.min(asked.items.length - 1, Math.max(0, cursor.value + by));
  } else step(by);
  return true;
}

/** Go through the questions of an example; from the last one the browser's own Tab goes on. */
function next(step: number): boolean {
  const count = loaded.value?.scene.questions.length ?? 0;
  const to = focus.value + step;
  if (to < 0 || to >= count) return false;
  focus.value = to;
  return true;
}
