// A body: JSON in lines with marks at the places that findings name, other text as it is, bytes as a hex dump.

import { useMemo, useState } from "preact/hooks";
import type { Line } from "./json_tree";
import { linesOf, nearest, tree } from "./json_tree";
import type { Body as Content } from "./model";
import { bytesOf, hexLines, inline, many, visible } from "./text";

/** Something to be said at a place of a body. `soft` marks what is no fault of the target. */
export interface Mark {
  pointer: string;
  text: string;
  soft?: boolean;
  /** A value: where it stands below the pointer, it is marked too. */
  value?: string;
}

/** Lines that are shown at once, and those around each mark. */
const MOST = 300;
const AROUND = 6;

export function Body({ content, marks, label }: { content: Content; marks: readonly Mark[]; label: string }) {
  const [raw, setRaw] = useState(false);
  const text = content.text;
  const root = useMemo(() => (text === undefined || content.of ? undefined : tree(text)), [text, content.of]);
  if (!text && !content.base64) return <p class="empty">No body.</p>;
  return (
    <div class="body">
      {content.of !== undefined && (
        <p class="caution">
          The first {many((text ?? content.base64 ?? "").length, "character")} of {many(content.of, "character")}. All
          of it is in report.jsonl.
        </p>
      )}
      {root && (
        <p class="tabs">
          <button type="button" aria-pressed={!raw} onClick={() => setRaw(false)}>
            Formatted
          </button>
          <button type="button" aria-pressed={raw} onClick={() => setRaw(true)}>
            As sent
          </button>
        </p>
      )}
      {root && !raw ? (
        <Json text={text ?? ""} marks={marks} label={label} />
      ) : (
        <section class="raw" aria-label={label}>
          <pre>{text === undefined ? hexLines(bytesOf(content).subarray(0, 4096)).join("\n") : visible(text)}</pre>
        </section>
      )}
    </div>
  );
}

/** JSON text in lines. `text` must be JSON. */
export function Json({ text, marks, label }: { text: string; marks: readonly Mark[]; label: string }) {
  const [all, setAll] = useState(false);
  const { lines, notes } = useMemo(() => marked(text, marks), [text, marks]);
  const shown = all ? lines.map((_, place) => place) : chosen(lines, notes);
  let before = -1;
  return (
    <section class="json" aria-label={label}>
      {shown.map((place) => {
        const gap = place - before - 1;
        before = place;
        const line = lines[place] as Line;
        const said = notes.get(line.pointer);
        return (
          <div key={place}>
            {gap > 0 && <p class="gap">… {many(gap, "line")} …</p>}
            <code class={`line ${said ? (said.every((one) => one.soft) ? "marked soft" : "marked") : ""}`}>
              {"  ".repeat(line.depth)}
              {line.name && (
                <>
                  <span class="key">{inline(line.name)}</span>:{" "}
                </>
              )}
              <span class={line.kind}>{inline(line.text)}</span>
              {line.tail}
            </code>
            {said?.map((one) => (
              <p class={one.soft ? "said soft" : "said"} key={one.text}>
                <span aria-hidden="true">▲</span> {visible(one.text)}
              </p>
            ))}
          </div>
        );
      })}
      {shown.length < lines.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {many(lines.length, "line")}
        </button>
      )}
    </section>
  );
}

/** The lines of a text, and the marks at each pointer. A mark at a place that isn't there stands at its parent. */
function marked(text: string, marks: readonly Mark[]): { lines: Line[]; notes: Map<string, Mark[]> } {
  const root = tree(text);
  const notes = new Map<string, Mark[]>();
  if (!root) return { lines: [], notes };
  for (const mark of marks) {
    const [place, whole] = nearest(root, mark.pointer);
    const said = whole ? mark : { ...mark, text: `${mark.text} (${mark.pointer} is not here)` };
    notes.set(place, [...(notes.get(place) ?? []), said]);
  }
  const lines = linesOf(root);
  for (const { value, pointer } of marks) {
    const same =
      value && lines.find((line) => line.pointer.startsWith(`${pointer}/`) && line.text === JSON.stringify(value));
    if (same && !notes.has(same.pointer)) notes.set(same.pointer, [{ pointer: same.pointer, text: "this one" }]);
  }
  return { lines, notes };
}

function chosen(lines: readonly Line[], notes: ReadonlyMap<string, Mark[]>): number[] {
  if (lines.length <= MOST) return lines.map((_, place) => place);
  const wanted = new Set<number>();
  const spots = lines.flatMap((line, place) => (notes.has(line.pointer) ? [place] : []));
  for (let place = 0; place < (spots.length > 0 ? 20 : MOST); place += 1) wanted.add(place);
  for (const spot of spots.slice(0, 50))
    for (let place = spot - AROUND; place <= spot + AROUND; place += 1) if (lines[place]) wanted.add(place);
  return [...wanted].sort((a, b) => a - b);
}
