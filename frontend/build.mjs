// Bundles the page into the two files that the template of reports/html.py includes: reports/templates/page.js, page.css.
// The result depends on the sources and the locked versions alone, so it is checked in and compared in CI.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
await build({
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
});
