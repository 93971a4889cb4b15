// Bundles each src/*.ts into pipeline/outputs/assets/NAME.js, with the licences of all that is in them beside.
// The first line of a bundle names the checksum of its sources: a test compares it with the sources there are.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, "..", "pipeline", "outputs", "assets");

/** All files below a folder, in the order of their paths. */
function files(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]));
}

/** SHA-256 over what a bundle is made of: `path\0text\0` of each file, by path. */
function checksum() {
  const parts = [...files(join(here, "src")), join(here, "build.mjs"), join(here, "package-lock.json")];
  const named = parts.map((path) => [relative(here, path).replaceAll("\\", "/"), readFileSync(path)]);
  const digest = createHash("sha256");
  for (const [name, text] of named.sort(([a], [b]) => (a < b ? -1 : 1))) digest.update(`${name}\0`).update(text).update("\0");
  return digest.digest("hex");
}

/** The npm packages of a build, by the paths of its inputs. */
function packages(metafile) {
  const used = Object.entries(metafile.outputs).flatMap(([, output]) =>
    Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path),
  );
  const names = used.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  return [...new Set(names)].sort();
}

/** Name, version, licence and its text, of one package. */
function licence(name) {
  const folder = join(here, "node_modules", name);
  const told = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name}: no licence file; name its licence by hand before it is bundled`);
  return `${name} ${told.version} (${told.license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

const entries = readdirSync(join(here, "src")).filter((name) => name.endsWith(".ts")).sort();
mkdirSync(assets, { recursive: true });
for (const old of readdirSync(assets).filter((name) => name.endsWith(".js"))) rmSync(join(assets, old));
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: entries.map((name) => join("src", name)),
  outdir: assets,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  banner: { js: `/* Groundbreak; sources sha256-${checksum()}; licences of what is in here: licences.txt */` },
});
const rule = `\n${"-".repeat(110)}\n\n`;
const head = `What is bundled into ${entries.map((name) => basename(name, ".ts") + ".js").join(", ")} beside Groundbreak's own code. Written by web/build.mjs.\n`;
writeFileSync(join(assets, "licences.txt"), [head, ...packages(metafile).map(licence)].join(rule));
for (const name of entries) {
  const bundle = basename(name, ".ts") + ".js";
  console.log(`${bundle}: ${Math.round(statSync(join(assets, bundle)).size / 1024)} KiB`);
}
