// Builds ../static from src: `npm ci && npm run build`. What it writes is committed, and
// build.json says of which sources, so that a stale or edited bundle is noticed without node.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx" },
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  outdir: out,
});
await build({ absWorkingDir: here, entryPoints: { app: "src/style.css" }, minify: true, outdir: out });
for (const name of ["index.html", "favicon.svg"])
  await writeFile(join(out, name), await readFile(join(here, "src", name)));

const licenses = [];
for (const name of ["preact", "@preact/signals", "@preact/signals-core"]) {
  const folder = join(here, "node_modules", name);
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  licenses.push(`${name} ${version}\n\n${await readFile(join(folder, "LICENSE"), "utf8")}`);
}
await writeFile(join(out, "LICENSES.txt"), licenses.join("\n\n"));

const digests = async (folder, names) =>
  Object.fromEntries(await Promise.all(names.map(async (name) => [name, hash(await readFile(join(folder, name)))])));
const sources = (await readdir(join(here, "src"))).sort().map((name) => `src/${name}`);
const record = {
  sources: await digests(here, ["build.mjs", "package-lock.json", "package.json", "tsconfig.json", ...sources]),
  outputs: await digests(out, ["LICENSES.txt", "app.css", "app.js", "favicon.svg", "index.html"]),
};
await writeFile(join(out, "build.json"), `${JSON.stringify(record, null, 1)}\n`);
