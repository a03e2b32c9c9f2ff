import { render } from "preact";
import { effect } from "@preact/signals";
import { failure, unsent } from "./api";
import { Example } from "./blocks";
import { listen } from "./keys";
import { Panels } from "./panels";
import { Panel } from "./questions";
import { Queue } from "./queue";
import { begin, dark, enter, exportNow, panel, progress, saved, state, takeBack } from "./store";

function App() {
  const known = state.value;
  return (
    <>
      <Head />
      {failure.value && <p class="bar" role="alert">{failure.value}{unsent.value > 0 && ` (${unsent.value} unsent)`}
        <button onClick={() => { failure.value = ""; }} aria-label="Close this message">×</button></p>}
      {known && known.changed.length > 0 && <p class="bar soft">{`${known.changed[0]} has changed since the audit: run the audit again before you export.`}</p>}
      {known?.problem && <p class="bar soft">{`${known.problem.where}: ${known.problem.what}. What was found can be reviewed, without the examples.`}</p>}
      <div class="frame"><Queue /><Example /><Panel /></div>
      <p class="live" role="status" aria-live="polite">{saved.value}</p>
      <Panels />
    </>
  );
}

function Head() {
  const known = state.value;
  const now = progress.value;
  const who = known?.reviewers.find((each) => each.reviewer === known.reviewer)?.name ?? "";
  const all = now.undecided + now.decided + now.conflict;
  return (
    <header class="head">
      <b>goldlabel</b><span class="dataset" dir="auto">{known?.dataset}</span>
      <progress max={Math.max(all, 1)} value={now.decided} aria-label="Decided" />
      <span>{`${now.decided.toLocaleString("en")} of ${all.toLocaleString("en")} decided, ${now.changed.toLocaleString("en")} change`}</span>
      {now.conflict > 0 && <button class="warn" onClick={() => { panel.value = "conflicts"; }}>{`${now.conflict} in conflict`}</button>}
      <span class="space" />
      {known?.read_only ? <span>read only</span> : (
        <>
          <button onClick={() => takeBack(false)}><kbd>Z</kbd> undo</button>
          <button onClick={() => takeBack(true)}><kbd>⇧Z</kbd> redo</button>
          <button onClick={() => { const name = prompt("Who decides?", who); if (name) enter(name); }} dir="auto">{who}</button>
        </>
      )}
      <button onClick={() => { panel.value = "history"; }}><kbd>Y</kbd> history</button>
      {known?.can_export && <button onClick={exportNow}>Export</button>}
      <button onClick={flipTheme} aria-label="Light or dark">◐</button>
      <button onClick={() => { panel.value = "help"; }} aria-label="Keys"><kbd>?</kbd></button>
    </header>
  );
}

function flipTheme(): void {
  const isDark = dark.value ? dark.value === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dark.value = isDark ? "light" : "dark";
  localStorage.setItem("goldlabel-theme", dark.value);
}

effect(() => { document.documentElement.dataset.theme = dark.value; });
const root = document.getElementById("app");
if (root) render(<App />, root);
listen();
begin().catch((error) => { failure.value = String(error.message ?? error); });
