import { loaded, question, queue } from "./store";
import { Pictures } from "./pictures";
import { Pieces } from "./pieces";
import type { Block, Vote } from "./types";

export function Example() {
  const scene = loaded.value?.scene;
  if (!scene) {
    const waits = queue.value.id === 0 || queue.value.total > 0;
    const why = waits ? "Reading the dataset …" : "Nothing is left in this queue.";
    return <main class="example"><p class="empty">{why}</p></main>;
  }
  const pictures = scene.blocks.filter((each) => each.type === "picture" || each.type === "layer");
  return (
    <main class="example" aria-label={`Example ${scene.id}`}>
      <h1 dir="auto">{scene.id}</h1>
      {pictures.length > 0 && <Pictures example={scene.example} blocks={pictures as any} />}
      {scene.blocks.map((block, at) => <Shown key={at} block={block} />)}
      {question.value?.reason && <p class="why"><b>Why</b> {question.value.reason}</p>}
    </main>
  );
}

function Shown({ block }: { block: Block }) {
  switch (block.type) {
    case "text": return <p class="text" dir="auto">{block.text}</p>;
    case "fields": return (
      <dl class="fields">
        {block.rows.map(([name, value]) => (
          <div key={name} class={block.marked.includes(name) ? "marked" : ""}>
            <dt>{name}</dt><dd dir="auto">{value}</dd>
          </div>
        ))}
      </dl>
    );
    case "pieces": return <Pieces block={block} />;
    case "votes": return <Votes rows={block.rows} />;
    default: return null;
  }
}

function Votes({ rows }: { rows: Vote[] }) {
  return (
    <table class="votes">
      <thead><tr><th>annotator</th><th>vote</th><th>right how often</th></tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.part}>
            <td dir="auto">{row.annotator}</td>
            <td dir="auto"><b>{row.label}</b></td>
            <td>{row.quality === null ? "" : `${Math.round(row.quality * 100)}%`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
