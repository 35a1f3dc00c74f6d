// The matrix of operation groups and rule areas: where in the API something is wrong.

import { useRef, useState } from "preact/hooks";
import { named, Sign } from "./badge";
import type { Index, Outcome } from "./model";
import { OUTCOMES } from "./model";
import { inline, many, number } from "./text";

type Counts = Partial<Record<Outcome, number>>;

const RANK = new Map(OUTCOMES.map((outcome, place) => [outcome, place]));

const worst = (counts: Counts): Outcome => OUTCOMES.find((outcome) => counts[outcome]) ?? "not_applicable";

const told = (counts: Counts): string =>
  OUTCOMES.filter((outcome) => counts[outcome])
    .map((outcome) => `${counts[outcome]} ${named(outcome)}`)
    .join(", ") || "nothing";

const add = (to: Counts, outcome: Outcome): void => {
  to[outcome] = (to[outcome] ?? 0) + 1;
};

interface Table {
  groups: string[];
  areas: string[];
  cells: Map<string, Counts>;
}

/** "" stands for all groups or all areas. */
export function tableOf(index: Index): Table {
  const cells = new Map<string, Counts>();
  const at = (group: string, area: string): Counts => {
    const key = `${group}\n${area}`;
    const found = cells.get(key) ?? {};
    cells.set(key, found);
    return found;
  };
  for (const verdict of index.verdicts) {
    const area = index.rules[verdict.rule]?.area ?? "";
    for (const counts of [at(verdict.group, area), at(verdict.group, ""), at("", area), at("", "")])
      add(counts, verdict.outcome);
  }
  const names = (which: number) => [...new Set([...cells.keys()].map((key) => key.split("\n")[which] ?? ""))];
  const heavy = (counts: Counts | undefined) => RANK.get(worst(counts ?? {})) ?? 0;
  const groups = names(0)
    .filter(Boolean)
    .sort((a, b) => heavy(cells.get(`${a}\n`)) - heavy(cells.get(`${b}\n`)) || a.localeCompare(b));
  return { groups, areas: names(1).filter(Boolean).sort(), cells };
}

interface Props {
  index: Index;
  /** What the list shows now. */
  group: string;
  area: string;
  show: (group: string, area: string) => void;
}

export function Matrix({ index, group: ofGroup, area: ofArea, show }: Props) {
  const table = useRef<Table>(undefined);
  table.current ??= tableOf(index);
  const { groups, areas, cells } = table.current;
  const rows = [...groups, ""];
  const columns = [...areas, ""];
  const [at, setAt] = useState<[number, number]>([0, 0]);
  const body = useRef<HTMLTableElement>(null);

  const move = (event: KeyboardEvent): void => {
    const steps: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      Home: [0, -columns.length],
      End: [0, columns.length],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const row = Math.max(0, Math.min(rows.length - 1, at[0] + step[0]));
    const column = Math.max(0, Math.min(columns.length - 1, at[1] + step[1]));
    setAt([row, column]);
    body.current?.querySelector<HTMLElement>(`[data-cell="${row},${column}"]`)?.focus();
  };

  return (
    <section aria-labelledby="matrix">
      <h2 id="matrix">
        Matrix{" "}
        <span class="quiet">worst outcome and its count of all verdicts that apply; arrow keys move, Enter shows</span>
      </h2>
      <div class="scroll">
        <table class="matrix" ref={body} onKeyDown={move}>
          <thead>
            <tr>
              <td />
              {columns.map((area) => (
                <th scope="col" key={area}>
                  {inline(area) || "all"}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((group, row) => (
              <tr key={group}>
                <th scope="row">{inline(group) || "all"}</th>
                {columns.map((area, column) => (
                  <Cell
                    key={area}
                    counts={cells.get(`${group}\n${area}`) ?? {}}
                    label={`${inline(group) || "all groups"}, ${inline(area) || "all areas"}`}
                    place={`${row},${column}`}
                    here={at[0] === row && at[1] === column}
                    chosen={(ofGroup || ofArea) !== "" && ofGroup === group && ofArea === area}
                    act={() => {
                      setAt([row, column]);
                      show(group, area);
                    }}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface CellProps {
  counts: Counts;
  label: string;
  place: string;
  here: boolean;
  chosen: boolean;
  act: () => void;
}

function Cell({ counts, label, place, here, chosen, act }: CellProps) {
  const outcome = worst(counts);
  const applicable = Object.entries(counts).reduce(
    (sum, [name, count]) => sum + (name === "not_applicable" ? 0 : count),
    0,
  );
  return (
    <td>
      <button
        type="button"
        class={`cell ${outcome}`}
        data-cell={place}
        tabIndex={here ? 0 : -1}
        aria-pressed={chosen}
        title={`${label}: ${told(counts)} (${many(applicable, "verdict")} in all)`}
        onClick={act}
      >
        <span class="hidden">{label}: </span>
        {outcome === "not_applicable" ? (
          <>
            <span aria-hidden="true">–</span>
            <span class="hidden">nothing applies</span>
          </>
        ) : (
          <>
            <Sign outcome={outcome} /> {number(counts[outcome] ?? 0)}
            <span class="hidden"> {named(outcome)}</span>
            {outcome !== "pass" && <small> of {number(applicable)}</small>}
          </>
        )}
      </button>
    </td>
  );
}
