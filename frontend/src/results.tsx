// The list of verdicts: by operation, the heaviest first. Only what is open is in the document.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Badge, Level, Prose } from "./badge";
import type { View } from "./filter";
import { itemName, levelsOf, narrowed, toFragment } from "./filter";
import type { Index, Outcome, Verdict } from "./model";
import { OUTCOMES } from "./model";
import { cut, many, visible } from "./text";

/** Rows of one operation that are shown at once, and the most verdicts of which all operations are open. */
const PAGE = 50;
const FEW = 60;

interface Group {
  name: string;
  verdicts: Verdict[];
  counts: Partial<Record<Outcome, number>>;
}

const RANK = new Map(OUTCOMES.map((outcome, place) => [outcome, place]));
const rank = (verdict: Verdict | undefined): number => (verdict ? (RANK.get(verdict.outcome) ?? 0) : OUTCOMES.length);

function grouped(index: Index, places: readonly number[]): Group[] {
  const found = new Map<number, Group>();
  for (const place of places) {
    const verdict = index.verdicts[place] as Verdict;
    let group = found.get(verdict.operation);
    if (!group) {
      group = { name: index.operations[verdict.operation] || "(nothing was sent)", verdicts: [], counts: {} };
      found.set(verdict.operation, group);
    }
    group.verdicts.push(verdict);
    group.counts[verdict.outcome] = (group.counts[verdict.outcome] ?? 0) + 1;
  }
  for (const group of found.values()) group.verdicts.sort((a, b) => rank(a) - rank(b) || a.rule - b.rule);
  return [...found.values()].sort((a, b) => rank(a.verdicts[0]) - rank(b.verdicts[0]) || (a.name < b.name ? -1 : 1));
}

export function Results({ index, view, places }: { index: Index; view: View; places: readonly number[] }) {
  const groups = useMemo(() => grouped(index, places), [index, places]);
  const open = narrowed(view) && places.length <= FEW;
  if (groups.length === 0) return <p class="empty">No verdict fits these filters.</p>;
  return (
    <div class="results">
      {groups.map((group) => (
        <Operation key={group.name} index={index} view={view} group={group} open={open || groups.length === 1} />
      ))}
    </div>
  );
}

interface OperationProps {
  index: Index;
  view: View;
  group: Group;
  open: boolean;
}

function Operation({ index, view, group, open: suggested }: OperationProps) {
  const [open, setOpen] = useState(suggested);
  const [most, setMost] = useState(PAGE);
  useEffect(() => setOpen(suggested), [suggested]);
  return (
    <details class="operation" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="name">{visible(group.name)}</span>
        <span class="counts">
          {OUTCOMES.filter((outcome) => group.counts[outcome]).map((outcome) => (
            <Badge key={outcome} outcome={outcome} count={group.counts[outcome] ?? 0} />
          ))}
        </span>
      </summary>
      {open && (
        <>
          <ul class="verdicts">
            {group.verdicts.slice(0, most).map((verdict) => (
              <Line key={itemName(index, verdict)} index={index} view={view} verdict={verdict} />
            ))}
          </ul>
          {group.verdicts.length > most && (
            <button type="button" onClick={() => setMost(most + 4 * PAGE)}>
              Show more: {many(group.verdicts.length - most, "verdict")} left
            </button>
          )}
        </>
      )}
    </details>
  );
}

/** What one line says of a verdict: its first finding, or why it was not judged. */
function gist(verdict: Verdict): string {
  const finding = verdict.findings?.find((one) => !one.note) ?? verdict.findings?.[0];
  if (verdict.waived) return verdict.waived.text;
  if (finding) return `${finding.message ?? ""}${finding.place ? ` at ${finding.place}` : ""}`;
  return verdict.reason ?? verdict.coverage ?? "";
}

function Line({ index, view, verdict }: { index: Index; view: View; verdict: Verdict }) {
  const rule = index.rules[verdict.rule];
  return (
    <li class={verdict.outcome}>
      <Badge outcome={verdict.outcome} />
      <span class="rule">
        <a href={toFragment({ ...view, item: itemName(index, verdict), case: "", trace: "" })}>{rule?.id}</a>{" "}
        {levelsOf(index, verdict).map((level) => (
          <Level key={level} level={level} />
        ))}
        <span class="title">
          <Prose text={rule?.title} />
        </span>
      </span>
      <span class="gist">
        {visible(cut(gist(verdict), 240))}
        {verdict.unstable && <strong> {verdict.stability}</strong>}
        {verdict.coverage && gist(verdict) !== verdict.coverage && <em> {visible(cut(verdict.coverage, 160))}</em>}
        <small> {index.scenarios[verdict.scenario]}</small>
      </span>
    </li>
  );
}
