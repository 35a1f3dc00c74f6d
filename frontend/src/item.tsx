// One verdict with everything that it rests on: rule, findings, evidence, and the other requests of its scenario.

import { useEffect, useState } from "preact/hooks";
import { Badge, Command, Fact, Level, Prose } from "./badge";
import { knownExchange, readExchange } from "./data";
import { Exchange } from "./exchange";
import type { View } from "./filter";
import { EMPTY, itemName, levelsOf, toFragment } from "./filter";
import type { Finding, Index, Exchange as Seen, Step, Verdict } from "./model";
import type { Told } from "./stream";
import { cut, inline, many, visible } from "./text";

/** Findings and steps that are listed at once. */
const MOST = 10;

export const traceOf = (index: Index, verdict: Verdict): string =>
  verdict.trace || (index.scenarios[verdict.scenario] ?? "");

/** What all verdicts say of one exchange, those of the given verdict first. */
export function toldOf(index: Index, trace: string, id: string, first?: Verdict): Told[] {
  const found: Told[] = [];
  for (const verdict of index.verdicts) {
    if (!verdict.findings || traceOf(index, verdict) !== trace) continue;
    const check = index.rules[verdict.rule]?.id ?? "";
    const mine = verdict.findings.filter((one) => one.case === id).map((finding) => ({ check, finding }));
    if (verdict === first) found.unshift(...mine);
    else found.push(...mine);
  }
  return found;
}

export function Item({
  index,
  view,
  verdict,
  ordered,
}: {
  index: Index;
  view: View;
  verdict: Verdict;
  ordered: Verdict[];
}) {
  const trace = traceOf(index, verdict);
  const findings = verdict.findings ?? [];
  const id = view.case || findings.find((one) => !one.note)?.case || findings[0]?.case || verdict.witness || "";
  const place = ordered.indexOf(verdict);
  const neighbour = (to: number, word: string) => {
    const other = ordered[place + to];
    if (place < 0 || !other) return null;
    return <a href={toFragment({ ...view, item: itemName(index, other), case: "", trace: "" })}>{word}</a>;
  };
  return (
    <main class="item">
      <nav class="crumbs" aria-label="Where this is">
        <a href={toFragment({ ...view, item: "", case: "", trace: "" })}>← All verdicts</a>
        <span>{verdict.group}</span>
        <span>{index.operations[verdict.operation] || "nothing was sent"}</span>
        <span aria-current="page">{index.rules[verdict.rule]?.id}</span>
        <span class="near">
          {neighbour(-1, "previous")} {neighbour(1, "next")}
        </span>
      </nav>
      <About index={index} verdict={verdict} shown={findings.find((one) => one.case === id) ?? findings[0]} />
      {findings.length > 1 && <Findings view={view} verdict={verdict} at={id} />}
      <h3>
        {findings.some((one) => one.case === id)
          ? "Evidence"
          : id && id === verdict.witness
            ? "Witness: an answer that would have been reported if it broke the rule"
            : "Evidence"}
      </h3>
      {id ? (
        <Evidence index={index} trace={trace} id={id} verdict={verdict} />
      ) : (
        <p class="empty">No single exchange shows it: {visible(verdict.reason || "nothing was judged")}.</p>
      )}
      <Steps index={index} view={view} trace={trace} at={id} />
      <Times index={index} trace={trace} />
    </main>
  );
}

function About({ index, verdict, shown }: { index: Index; verdict: Verdict; shown: Finding | undefined }) {
  const rule = index.rules[verdict.rule];
  const { waived } = verdict;
  return (
    <section class={`about ${verdict.outcome}`}>
      <h2>
        <Badge outcome={verdict.outcome} />{" "}
        {levelsOf(index, verdict).map((level) => (
          <Level key={level} level={level} />
        ))}{" "}
        <span class="quiet">Rule:</span> <Prose text={rule?.title ?? rule?.id} />
      </h2>
      {shown && (
        <div class="found">
          <p>
            <strong>Found:</strong> {visible(shown.message ?? "")}
            {shown.place && (
              <>
                {" "}
                at <code>{inline(shown.place)}</code>
              </>
            )}
          </p>
          {(shown.expected || shown.actual) && (
            <dl class="compared">
              <div>
                <dt>Expected</dt>
                <dd>
                  <code>{visible(shown.expected || "nothing")}</code>
                </dd>
              </div>
              <div>
                <dt>Came</dt>
                <dd>
                  <code>{visible(shown.actual || "nothing")}</code>
                </dd>
              </div>
            </dl>
          )}
        </div>
      )}
      <dl class="facts">
        <Fact name="check">
          <code>{rule?.id}</code> in scenario <code>{index.scenarios[verdict.scenario]}</code>
        </Fact>
        {rule?.clause && (
          <Fact name="clause">
            {rule.clause}: <Prose text={rule.clause_text} />{" "}
            {rule.source && <span class="quiet">[{visible(rule.source)}]</span>}
          </Fact>
        )}
        {verdict.reason && <Fact name="reason">{visible(verdict.reason)}</Fact>}
        {verdict.cause && <Fact name="cause">{visible(verdict.cause)}</Fact>}
        {waived && (
          <Fact name="waiver">
            {visible(waived.text)}; without it the outcome is <Badge outcome={waived.outcome} />
          </Fact>
        )}
        {verdict.errata && (
          <Fact name="erratum">
            {verdict.errata.map((id) => (
              <p key={id}>
                rests on <code>{id}</code>: <Prose text={index.errata[id]} />
              </p>
            ))}
          </Fact>
        )}
        <Fact name="coverage">
          {visible(verdict.coverage || `judged ${many(verdict.judged ?? 0, "exchange")}, all of them`)}
        </Fact>
        {verdict.stability && <Fact name="repeated">{visible(verdict.stability)}</Fact>}
        {verdict.outcome !== "pass" && rule?.title && (
          <Fact name="to do">
            <Command text={`aoai-conformance explain ${rule?.id}`} label="line" />
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Findings({ view, verdict, at }: { view: View; verdict: Verdict; at: string }) {
  const [most, setMost] = useState(MOST);
  const findings = verdict.findings ?? [];
  const all = verdict.found ?? findings.length;
  return (
    <section>
      <h3>{many(all, "finding")} of this check here</h3>
      <ul class="findings">
        {findings.slice(0, most).map((one, place) => (
          <li key={place}>
            <a href={toFragment({ ...view, case: one.case ?? "", trace: "" })} aria-current={one.case === at}>
              <code>{one.case}</code>
            </a>{" "}
            <Level level={one.level} /> {visible(cut(one.message ?? "", 300))}
            {one.place && (
              <>
                {" "}
                at <code>{inline(one.place)}</code>
              </>
            )}
          </li>
        ))}
      </ul>
      {findings.length > most && (
        <button type="button" onClick={() => setMost(findings.length)}>
          Show {many(findings.length - most, "more finding")}
        </button>
      )}
      {all > findings.length && (
        <p class="caution">{many(all - findings.length, "more finding")} are in report.jsonl.</p>
      )}
    </section>
  );
}

interface EvidenceProps {
  index: Index;
  trace: string;
  id: string;
  verdict?: Verdict;
}

/** One exchange, read when it is first looked at. */
export function Evidence({ index, trace, id, verdict }: EvidenceProps) {
  const [seen, setSeen] = useState<Seen | "missing" | undefined>(knownExchange(trace, id));
  useEffect(() => {
    let current = true;
    setSeen(knownExchange(trace, id));
    readExchange(index, trace, id).then(
      (found) => current && setSeen(found ?? "missing"),
      () => current && setSeen("missing"),
    );
    return () => {
      current = false;
    };
  }, [index, trace, id]);
  if (seen === "missing")
    return (
      <p class="caution">
        The page had no room for this exchange, or the run did not keep it. <code>report.jsonl</code> beside this page
        has it: look for <code>{id}</code>.
      </p>
    );
  if (!seen) return <p class="empty">Opening the evidence…</p>;
  return <Exchange key={`${trace}${id}`} index={index} seen={seen} told={toldOf(index, trace, id, verdict)} />;
}

const REPEATED = /^repeat\.(\d+)\.(.+)$/;

/** Each time that a scenario was sent, if it was sent more than once. */
export function Times({ index, trace }: { index: Index; trace: string }) {
  const scenario = REPEATED.exec(trace)?.[2] ?? trace;
  const times = Object.keys(index.traces).filter((name) => name === scenario || REPEATED.exec(name)?.[2] === scenario);
  if (times.length < 2) return null;
  return (
    <p class="times">
      Sent {many(times.length, "time")}:{" "}
      {times.map((name) => (
        <span key={name}>
          <a href={toFragment({ ...EMPTY, trace: name })} aria-current={name === trace}>
            time {REPEATED.exec(name)?.[1] ?? "1"}
          </a>{" "}
        </span>
      ))}
    </p>
  );
}

const ended = ([, , , status]: Step): string => (status === "none" ? "no answer" : status);

/** All exchanges of a scenario, in their order. */
export function Steps({ index, view, trace, at }: { index: Index; view: View; trace: string; at: string }) {
  const [most, setMost] = useState(MOST);
  const found = index.traces[trace];
  if (!found || found.steps.length === 0) return null;
  const absent = found.steps.filter((step) => step[5] < 0).length;
  return (
    <details class="steps" open={!at}>
      <summary>
        All {many(found.steps.length, "request")} of scenario {visible(trace)}
      </summary>
      {found.ended && <p class="caution">It ended early: {visible(found.ended)}</p>}
      <ol>
        {found.steps.slice(0, most).map((step, place) => (
          <li key={place}>
            {step[5] < 0 ? (
              <code>{step[0]}</code>
            ) : (
              <a
                href={toFragment({ ...view, item: view.item, case: step[0], trace: view.item ? "" : trace })}
                aria-current={step[0] === at}
              >
                <code>{step[0]}</code>
              </a>
            )}{" "}
            {index.operations[step[1]]} <strong class={step[4] ? "ok" : "not-ok"}>{ended(step)}</strong>{" "}
            <span class="quiet">{step[2]}</span>
          </li>
        ))}
      </ol>
      {found.steps.length > most && (
        <button type="button" onClick={() => setMost(most + 200)}>
          Show more: {many(found.steps.length - most, "request")} left
        </button>
      )}
      {absent > 0 && (
        <p class="caution">{many(absent, "exchange")} are only in report.jsonl: this page had no room for more.</p>
      )}
    </details>
  );
}
