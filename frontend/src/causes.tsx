// Root causes, the worst and widest first: what one repair would mend.

import { useState } from "preact/hooks";
import { Badge, Command, Level, Prose } from "./badge";
import { EMPTY, itemName, toFragment } from "./filter";
import type { Cause, Index } from "./model";
import { cut, inline, many, visible } from "./text";

/** The causes that are shown at first. */
const SOME = 10;

export function Causes({ index }: { index: Index }) {
  const [all, setAll] = useState(false);
  const { causes } = index;
  if (causes.length === 0) return null;
  const shown = all ? causes : causes.slice(0, SOME);
  const explained = causes.reduce((sum, cause) => sum + cause.verdicts.length, 0);
  return (
    <section aria-labelledby="causes">
      <h2 id="causes">
        Root causes{" "}
        <span class="quiet">
          {many(causes.length, "cause explains", "causes explain")} {many(explained, "verdict")}, the worst and widest
          first
        </span>
      </h2>
      <ol class="causes">
        {shown.map((cause) => (
          <One key={cause.verdicts[0]} index={index} cause={cause} />
        ))}
      </ol>
      {causes.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show {many(causes.length - shown.length, "more cause")}
        </button>
      )}
    </section>
  );
}

/** The remedy, with what can be typed apart from the words. */
function Remedy({ text }: { text: string }) {
  const start = text.search(/aoai-conformance |\[target\./);
  if (start < 0) return <>{visible(text)}</>;
  return (
    <>
      <Prose text={text.slice(0, start)} />
      <Command text={text.slice(start)} label="line" />
    </>
  );
}

function One({ index, cause }: { index: Index; cause: Cause }) {
  const root = index.verdicts[cause.verdicts[0] ?? 0];
  if (!root) return null;
  const rule = index.rules[root.rule];
  const finding = root.findings?.find((one) => one.case === cause.example) ?? root.findings?.[0];
  const scenario = index.scenarios[root.scenario];
  const example = toFragment({ ...EMPTY, item: itemName(index, root), case: finding?.case ?? "" });
  const everything = toFragment({ ...EMPTY, cause: String(index.causes.indexOf(cause)) });
  return (
    <li class={`cause ${cause.outcome}`}>
      <h3>
        <Badge outcome={cause.outcome} /> <Level level={cause.level} />{" "}
        {cause.title === rule?.title && <span class="quiet">Broken rule:</span>} <Prose text={cause.title} />
      </h3>
      <p class="width">
        Explains <strong>{many(cause.verdicts.length, "verdict")}</strong> of {many(cause.rules, "rule")}
        {cause.operations.length > 0 && ` in ${many(cause.operations.length, "operation")}`}
        {cause.requests > 0 && <>, seen in {many(cause.requests, "request")}</>}{" "}
        <span class="names">{visible(cut(cause.operations.join(", "), 160))}</span>
      </p>
      {finding && (
        <dl class="example">
          <dt>Example</dt>
          <dd>
            {visible(finding.message ?? "")}
            {finding.place && (
              <>
                {" "}
                at <code>{inline(finding.place)}</code>
              </>
            )}{" "}
            <span class="quiet">in {scenario}</span>
          </dd>
          {(finding.expected || finding.actual) && (
            <>
              <dt>{finding.expected ? "Expected" : "Came"}</dt>
              <dd>
                <code>{inline(cut(finding.expected || finding.actual || "", 160))}</code>
                {finding.expected && finding.actual && (
                  <>
                    <span class="quiet">, came</span> <code>{inline(cut(finding.actual, 160))}</code>
                  </>
                )}
              </dd>
            </>
          )}
        </dl>
      )}
      <div class="remedy">
        <span class="do">To do</span> <Remedy text={cause.remedy} />
      </div>
      <p class="links">
        <a href={example}>{finding ? "Open the example" : "Open the first verdict"}</a>
        {cause.verdicts.length > 1 && (
          <a href={everything}>Show {many(cause.verdicts.length, "verdict")} in the list</a>
        )}
      </p>
    </li>
  );
}
