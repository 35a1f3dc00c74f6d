// Begins: reads the index, takes the place of what the page shows without a script, and prepares printing.

import "./style.css";
import { render } from "preact";
import { App } from "./app";
import { readIndex, readPart } from "./data";
import { fromFragment } from "./filter";
import type { Index } from "./model";
import { Printed } from "./print";

function place(id: string): HTMLElement {
  const made = document.createElement("div");
  made.id = id;
  document.body.append(made);
  return made;
}

function prepare(index: Index): void {
  const paper = place("paper");
  if (index.examples >= 0) void readPart(index.examples);
  addEventListener("beforeprint", () => {
    // One verdict that is open is printed as it is.
    const view = fromFragment(location.hash);
    render(view.item || view.case ? null : <Printed index={index} />, paper);
    for (const one of document.querySelectorAll("details.headers, details.caution")) one.setAttribute("open", "");
  });
  addEventListener("afterprint", () => render(null, paper));
}

async function begin(): Promise<void> {
  const index = await readIndex();
  render(<App index={index} />, place("app"));
  document.getElementById("still")?.remove();
  prepare(index);
  document.documentElement.dataset.ready = "yes";
}

begin().catch((error: unknown) => {
  // What the page shows without a script is still there.
  const told = document.createElement("p");
  told.className = "alarm";
  told.textContent = `The details of this page can't be shown (${String(error)}). A current browser is needed; report.jsonl has everything.`;
  document.body.prepend(told);
});
