// The filters above the list. Each change is written into the address.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { named, Prose, Sign } from "./badge";
import type { View } from "./filter";
import { EMPTY, narrowed } from "./filter";
import type { Index, Outcome } from "./model";
import { OUTCOMES } from "./model";
import { inline, number } from "./text";

interface Props {
  index: Index;
  view: View;
  /** The verdicts that fit but for their outcome, counted by outcome. */
  counts: Partial<Record<Outcome, number>>;
  shown: number;
  change: (part: Partial<View>) => void;
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].filter(Boolean).sort();

export function Filters({ index, view, counts, shown, change }: Props) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      box.current?.focus();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);

  const names = useMemo(
    () => ({
      areas: sorted(index.rules.map((rule) => rule.area)),
      groups: sorted(index.verdicts.map((verdict) => verdict.group)),
      operations: index.operations.filter(Boolean),
      checks: index.rules.map((rule) => rule.id),
    }),
    [index],
  );
  const toggle = (outcome: Outcome): void => {
    const wanted = view.outcome.includes(outcome);
    change({ outcome: OUTCOMES.filter((one) => (one === outcome ? !wanted : view.outcome.includes(one))) });
  };
  const only = (outcome: Outcome): void => change({ outcome: [outcome] });

  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <label class="wide">
        <span>
          Text <kbd>/</kbd>
        </span>
        <input
          ref={box}
          type="search"
          placeholder="message, rule, scenario, case id"
          value={view.text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      <Select label="Level" value={view.level} names={["MUST", "SHOULD", "OBS"]} set={(level) => change({ level })} />
      <Select label="Area" value={view.area} names={names.areas} set={(area) => change({ area })} />
      <Select label="Group" value={view.group} names={names.groups} set={(group) => change({ group })} />
      <Suggest
        label="Operation"
        value={view.operation}
        names={names.operations}
        set={(operation) => change({ operation })}
      />
      <Suggest label="Check" value={view.check} names={names.checks} set={(check) => change({ check })} />
      <fieldset class="outcomes">
        <legend>Outcome (double click: only this one)</legend>
        {OUTCOMES.filter((outcome) => counts[outcome] || !view.outcome.includes(outcome) || outcome === "fail").map(
          (outcome) => (
            <button
              type="button"
              key={outcome}
              class={`toggle ${outcome}`}
              aria-pressed={view.outcome.includes(outcome)}
              onClick={() => toggle(outcome)}
              onDblClick={() => only(outcome)}
            >
              <Sign outcome={outcome} /> {named(outcome)} <span class="n">{number(counts[outcome] ?? 0)}</span>
            </button>
          ),
        )}
      </fieldset>
      {view.cause && (
        <p class="count">
          Only what one cause explains:{" "}
          <Prose text={index.causes[Number(view.cause)]?.title ?? "it is not in this report"} />{" "}
          <button type="button" onClick={() => change({ cause: "" })}>
            Show others too
          </button>
        </p>
      )}
      <p class="count">
        <span role="status">
          {number(shown)} of {number(index.verdicts.length)} verdicts
        </span>{" "}
        {narrowed(view) && (
          <button type="button" onClick={() => change(EMPTY)}>
            Clear filters
          </button>
        )}
      </p>
    </form>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  names: string[];
  set: (value: string) => void;
}

const Select = ({ label, value, names, set }: ChoiceProps) => (
  <label>
    {label}
    <select value={value} onChange={(event) => set(event.currentTarget.value)}>
      <option value="">any</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {inline(name)}
        </option>
      ))}
    </select>
  </label>
);

function Suggest({ label, value, names, set }: ChoiceProps) {
  const list = useMemo(
    () => (
      <datalist id={`names-${label}`}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    ),
    [label, names],
  );
  return (
    <label>
      {label}
      <input
        list={`names-${label}`}
        value={value}
        placeholder="any, * is a wildcard"
        onInput={(event) => set(event.currentTarget.value)}
      />
      {list}
    </label>
  );
}
