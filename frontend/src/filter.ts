// Which verdicts are shown, and what is open. Both stand in the fragment of the address, so that a link shows the same.

import type { Index, Outcome, Verdict } from "./model";
import { OUTCOMES } from "./model";

export interface View {
  outcome: Outcome[];
  level: string;
  area: string;
  group: string;
  operation: string;
  check: string;
  text: string;
  /** The number of a root cause: only what it explains. */
  cause: string;
  /** The verdict that is open, as `check--scenario`. */
  item: string;
  /** The exchange that is open, and the trace that it is from. */
  case: string;
  trace: string;
}

const TEXTS = ["level", "area", "group", "operation", "check", "text", "cause", "item", "case", "trace"] as const;

/** What did not apply is counted, and shown when somebody asks for it. */
export const USUAL: Outcome[] = OUTCOMES.filter((outcome) => outcome !== "not_applicable");

export const EMPTY: View = {
  outcome: USUAL,
  level: "",
  area: "",
  group: "",
  operation: "",
  check: "",
  text: "",
  cause: "",
  item: "",
  case: "",
  trace: "",
};

const usual = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length === USUAL.length && USUAL.every((outcome) => outcomes.includes(outcome));

/** A text without its percent-encoding, or as it is if that is wrong. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function fromFragment(fragment: string): View {
  const text = fragment.replace(/^#/, "");
  // The plain name of a trace opens it.
  if (text && !/[=&]/.test(text)) return { ...EMPTY, trace: plain(text) };
  const found = new URLSearchParams(text);
  const view: View = { ...EMPTY };
  for (const name of TEXTS) view[name] = found.get(name) ?? "";
  const outcomes = found.get("outcome");
  if (outcomes !== null) view.outcome = OUTCOMES.filter((outcome) => outcomes.split(",").includes(outcome));
  return view;
}

export function toFragment(view: View): string {
  const made = new URLSearchParams();
  if (!usual(view.outcome)) made.set("outcome", view.outcome.join(","));
  for (const name of TEXTS) if (view[name]) made.set(name, view[name]);
  const text = made.toString();
  return text ? `#${text}` : "#";
}

export const narrowed = (view: View): boolean =>
  !usual(view.outcome) || TEXTS.slice(0, 7).some((name) => view[name] !== "");

export const itemName = (index: Index, verdict: Verdict): string =>
  `${index.rules[verdict.rule]?.id}--${index.scenarios[verdict.scenario]}`;

/** A glob with `*`, or a beginning. */
function fits(wanted: string): (name: string) => boolean {
  if (!wanted.includes("*")) return (name) => name.startsWith(wanted);
  const parts = wanted.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join(".*")}$`);
  return (name) => pattern.test(name);
}

/** The texts in which a word is looked for, one for each verdict. Made when the first word is typed. */
let texts: string[] | undefined;

function textsOf(index: Index): string[] {
  texts ??= index.verdicts.map((verdict) => {
    const rule = index.rules[verdict.rule];
    const words = [rule?.id, rule?.title, index.scenarios[verdict.scenario], index.operations[verdict.operation]];
    words.push(verdict.reason, verdict.cause, verdict.coverage, verdict.witness, verdict.waived?.text);
    for (const one of verdict.findings ?? []) words.push(one.message, one.place, one.expected, one.actual, one.case);
    return words.filter(Boolean).join("\n").toLowerCase();
  });
  return texts;
}

/** The levels at which a verdict speaks: those of its findings, else that of its rule. */
export function levelsOf(index: Index, verdict: Verdict): string[] {
  const found = (verdict.findings ?? []).filter((one) => !one.note).map((one) => one.level ?? "");
  return found.length > 0 ? [...new Set(found)] : [index.rules[verdict.rule]?.level ?? ""];
}

/** The verdicts that fit, whatever their outcome; `fitting` chooses the outcomes. */
export function chosen(index: Index, view: View): number[] {
  const operation = view.operation ? fits(view.operation) : undefined;
  const check = view.check ? fits(view.check) : undefined;
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const haystacks = words.length > 0 ? textsOf(index) : [];
  const cause = view.cause ? new Set(index.causes[Number(view.cause)]?.verdicts) : undefined;
  const found: number[] = [];
  index.verdicts.forEach((verdict, place) => {
    const rule = index.rules[verdict.rule];
    if (cause && !cause.has(place)) return;
    if (view.area && rule?.area !== view.area) return;
    if (view.group && verdict.group !== view.group) return;
    if (operation && !operation(index.operations[verdict.operation] ?? "")) return;
    if (check && !check(rule?.id ?? "")) return;
    if (view.level && !levelsOf(index, verdict).includes(view.level)) return;
    if (!words.every((word) => haystacks[place]?.includes(word))) return;
    found.push(place);
  });
  return found;
}

export const fitting = (index: Index, places: readonly number[], outcomes: readonly Outcome[]): number[] => {
  const wanted = new Set(outcomes);
  return places.filter((place) => wanted.has((index.verdicts[place] as Verdict).outcome));
};
