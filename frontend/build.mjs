// Bundles the page into the two files that the template of reports/html.py includes: reports/templates/page.js, page.css.
// The result depends on the sources and the locked versions alone, so it is checked in. With --compare nothing is
// written: the files must be what would be written.
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const made = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.tsx" },
  outdir: `${here}../reports/templates`,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  charset: "ascii",
  legalComments: "none",
  // Preact's licence asks for its notice in every copy.
  banner: { js: "/*! The page of a report. Contains Preact (MIT), Copyright (c) 2015-present Jason Miller */" },
  logLevel: "warning",
  write: false,
});
for (const { path, text } of made.outputFiles) {
  if (!process.argv.includes("--compare")) {
    await writeFile(path, text);
  } else if ((await readFile(path, "utf-8").catch(() => "")) !== text) {
    console.error(
      `${basename(path)} is not what its sources build: run "npm run build" in frontend, commit the result`,
    );
    process.exitCode = 1;
  }
}
