// The verdict and its scope, which come before everything else.

import { Badge, Prose } from "./badge";
import { EMPTY, toFragment } from "./filter";
import type { Index, Outcome } from "./model";
import { OUTCOMES } from "./model";
import { many, number, visible } from "./text";

const WORDS: Record<string, string> = { pass: "✓", scoped: "✓", fail: "✗", error: "‼", warn: "!" };

export function Header({ index }: { index: Index }) {
  const { headline, run } = index;
  const counts = new Map<Outcome, number>();
  for (const { outcome } of index.verdicts) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return (
    <header class="top">
      <p class="what">
        api-version <strong>{index.version}</strong> at <code>{visible(run.target)}</code>
      </p>
      <h1 class={`verdict ${headline.tone}`}>
        <span class="seal" aria-hidden="true">
          {WORDS[headline.tone] ?? "?"}
        </span>{" "}
        <span>{visible(headline.text)}</span>
      </h1>
      {run.truncated && <p class="alarm">This run did not end: the report has no footer.</p>}
      {run.interrupted && <p class="alarm">The run was interrupted.</p>}
      {headline.coverage.map((line) => (
        <Coverage key={line} line={line} />
      ))}
      {headline.unstable && <p class="caution">{visible(headline.unstable)}</p>}
      <p class="counts">
        {OUTCOMES.filter((outcome) => counts.has(outcome)).map((outcome) => (
          <a key={outcome} href={toFragment({ ...EMPTY, outcome: [outcome] })}>
            <Badge outcome={outcome} count={counts.get(outcome) ?? 0} />
          </a>
        ))}
      </p>
      <p class="facts">
        {many(run.requests, "request")}, {many(run.operations, "operation")}, {many(run.checks, "rule")} judged.{" "}
        {run.started}
        {run.finished && ` to ${run.finished}`}. Seed {run.seed}, suite {run.suite}, document <code>{run.spec}</code>.
      </p>
      <Scope index={index} />
      <Outdated lines={headline.outdated} />
      {run.notes.length > 0 && (
        <details class="notes">
          <summary>{many(run.notes.length, "note")} of the run</summary>
          <ul>
            {run.notes.map((note) => (
              <li key={note}>
                <Prose text={note.replaceAll("`", "``")} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </header>
  );
}

/** A line on what was not judged. Its reasons are long, and stand with the causes too. */
function Coverage({ line }: { line: string }) {
  const [what, ...why] = line.split("; ");
  if (why.length === 0) return <p class="caution">{visible(line)}</p>;
  return (
    <details class="caution">
      <summary>{visible(what ?? "")}</summary>
      {visible(why.join("; "))}
    </details>
  );
}

function Scope({ index }: { index: Index }) {
  const { scope } = index;
  if (!scope.narrowed) return null;
  const chosen = Object.entries(scope.selection);
  return (
    <section class="scope" aria-label="Scope">
      <p>
        <strong>The conclusion speaks of this part alone:</strong> {visible(scope.text)}.
      </p>
      {(chosen.length > 0 || scope.reasons.length > 0) && (
        <details>
          <summary>What was left out, and why ({number(chosen.length + scope.reasons.length)})</summary>
          <ul>
            {chosen.map(([what, names]) => (
              <li key={what}>
                chosen {what}: <code>{visible(names.join(", "))}</code>
              </li>
            ))}
            {scope.reasons.map(([what, why]) => (
              <li key={what}>
                {visible(what)}: {visible(why)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Outdated({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <section class="scope" aria-label="Out of date">
      <p>
        <strong>Out of date.</strong> This says nothing about the target; the exit code is 1 until it is put right.
      </p>
      <ul>
        {lines.map((line) => (
          <li key={line}>{visible(line)}</li>
        ))}
      </ul>
    </section>
  );
}
