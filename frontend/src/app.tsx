// The page: an overview with filters, or one verdict, or one exchange, as the fragment of the address says.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Causes } from "./causes";
import { Drift, Rules } from "./extras";
import type { View } from "./filter";
import { chosen, fitting, fromFragment, itemName, toFragment } from "./filter";
import { Filters } from "./filters";
import { Header } from "./header";
import { Evidence, Item, Steps, Times } from "./item";
import { Matrix } from "./matrix";
import type { Index, Outcome, Verdict } from "./model";
import { OUTCOMES } from "./model";
import { Results } from "./results";
import { visible } from "./text";
import { Waived } from "./waived";

const SOLVED: readonly Outcome[] = ["pass", "not_applicable"];

function useView(): [View, (part: Partial<View>) => void] {
  const [view, setView] = useState(() => fromFragment(location.hash));
  useEffect(() => {
    const read = (): void => setView(fromFragment(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const change = useCallback((part: Partial<View>): void => {
    setView((before) => {
      const after = { ...before, ...part };
      // Typing must not fill the history of the browser.
      history.replaceState(null, "", toFragment(after));
      return after;
    });
  }, []);
  return [view, change];
}

export function App({ index }: { index: Index }) {
  const [view, change] = useView();
  const found = useMemo(
    () => chosen(index, view),
    [index, view.level, view.area, view.group, view.operation, view.check, view.text, view.cause],
  );
  const shown = useMemo(() => fitting(index, found, view.outcome), [index, found, view.outcome]);
  const names = useMemo(() => new Map(index.verdicts.map((verdict) => [itemName(index, verdict), verdict])), [index]);
  // What doesn't depend on the filters is made once: a filter must answer while somebody types.
  const top = useMemo(
    () => (
      <>
        <Header index={index} />
        <Causes index={index} />
        <Waived index={index} />
      </>
    ),
    [index],
  );
  const end = useMemo(
    () => (
      <>
        <Drift index={index} />
        <Rules index={index} />
      </>
    ),
    [index],
  );
  const list = useRef<HTMLElement>(null);
  const show = useCallback(
    (group: string, area: string): void => {
      change({ group, area });
      list.current?.focus();
      list.current?.scrollIntoView();
    },
    [change],
  );
  const table = useMemo(
    () => <Matrix index={index} group={view.group} area={view.area} show={show} />,
    [index, view.group, view.area, show],
  );
  const open = view.item || view.case || view.trace;
  const before = useRef(open);
  useEffect(() => {
    if (before.current !== open && open) scrollTo(0, 0);
    if (before.current && !open) list.current?.scrollIntoView();
    before.current = open;
  }, [open]);

  const verdict = names.get(view.item);
  if (verdict)
    return <Item key={view.item} index={index} view={view} verdict={verdict} ordered={inOrder(index, shown)} />;
  if (view.case || view.trace) return <Alone index={index} view={view} />;
  const counts: Partial<Record<Outcome, number>> = {};
  for (const place of found) {
    const { outcome } = index.verdicts[place] as Verdict;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return (
    <main>
      {view.item && <p class="alarm">This report has no verdict {view.item}.</p>}
      {top}
      {table}
      <section ref={list} tabIndex={-1} aria-labelledby="verdicts" class="list">
        <h2 id="verdicts">Verdicts</h2>
        <Filters index={index} view={view} counts={counts} shown={shown.length} change={change} />
        <Results index={index} view={view} places={shown} />
      </section>
      {end}
    </main>
  );
}

/** The verdicts of the list in the order of "next": what is wrong before what is right. */
function inOrder(index: Index, places: readonly number[]): Verdict[] {
  const rank = new Map(OUTCOMES.map((outcome, place) => [outcome, place]));
  return places
    .map((place) => index.verdicts[place] as Verdict)
    .filter((verdict) => !SOLVED.includes(verdict.outcome))
    .sort((a, b) => (rank.get(a.outcome) ?? 0) - (rank.get(b.outcome) ?? 0) || a.rule - b.rule);
}

/** One exchange without a verdict, or all of a trace: of a link to a case, or to one time that a scenario was sent. */
function Alone({ index, view }: { index: Index; view: View }) {
  const holds = ([, trace]: [string, Index["traces"][string]]) => trace.steps.some((step) => step[0] === view.case);
  const trace = view.trace || Object.entries(index.traces).find(holds)?.[0] || "";
  const known = trace in index.traces;
  return (
    <main class="item">
      <nav class="crumbs" aria-label="Where this is">
        <a href={toFragment({ ...view, case: "", trace: "" })}>← All verdicts</a>
        <span aria-current="page">{view.case || visible(trace)}</span>
      </nav>
      {view.case ? (
        <h2>
          Case <code>{view.case}</code> <span class="quiet">in {visible(trace) || "no scenario of this report"}</span>
        </h2>
      ) : (
        <h2>Scenario {visible(trace)}</h2>
      )}
      {view.trace && !known && <p class="alarm">This report has no scenario {visible(view.trace)}.</p>}
      {view.case && <Evidence index={index} trace={trace} id={view.case} />}
      <Steps key={trace} index={index} view={view} trace={trace} at={view.case} />
      <Times index={index} trace={trace} />
    </main>
  );
}
