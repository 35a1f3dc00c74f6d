// What else a run says: drift, and the rules with their clauses.

import { useState } from "preact/hooks";
import { Level, Prose } from "./badge";
import { EMPTY, toFragment } from "./filter";
import type { Index } from "./model";
import { inline, many, visible } from "./text";

const MOST = 50;

export function Drift({ index }: { index: Index }) {
  const [most, setMost] = useState(MOST);
  if (index.drift.length === 0) return null;
  return (
    <section aria-labelledby="drift">
      <h2 id="drift">
        Drift <span class="quiet">values that the document doesn't list; the service may have added them</span>
      </h2>
      <div class="scroll">
        <table class="plain">
          <thead>
            <tr>
              {["operation", "place", "value", "times", "first case"].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {index.drift.slice(0, most).map((one) => (
              <tr key={`${one.operation}${one.path}${one.value}`}>
                <td>{one.operation}</td>
                <td>
                  <code>{inline(one.path)}</code>
                </td>
                <td>
                  <code>{inline(one.value)}</code>
                </td>
                <td class="n">{one.count}</td>
                <td>
                  <a href={toFragment({ ...EMPTY, case: one.case })}>
                    <code>{one.case}</code>
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {index.drift.length > most && (
        <button type="button" onClick={() => setMost(index.drift.length)}>
          Show {many(index.drift.length - most, "more value")}
        </button>
      )}
    </section>
  );
}

export function Rules({ index }: { index: Index }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="rules" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{many(index.rules.length, "rule")} of this run, with their clauses</summary>
      {open && (
        <dl>
          {index.rules.map((rule) => (
            <div key={rule.id}>
              <dt>
                <code>{rule.id}</code> <Level level={rule.level} /> <span class="quiet">{inline(rule.area)}</span>
              </dt>
              <dd>
                <Prose text={rule.title} />{" "}
                <span class="quiet">
                  {visible(rule.clause_text ?? "")} {rule.source && `[${visible(rule.source)}]`}
                </span>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </details>
  );
}
