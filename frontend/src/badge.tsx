// Small things that everything shows: outcomes, code in prose, buttons that copy, links into the page.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Outcome } from "./model";
import { number, visible } from "./text";

const SIGNS: Record<Outcome, string> = {
  error: "‼",
  fail: "✗",
  waived: "≈",
  warn: "!",
  pass: "✓",
  unavailable: "?",
  inconclusive: "?",
  not_testable: "?",
  not_applicable: "–",
};

/** An outcome in words. */
export const named = (outcome: string): string => outcome.replaceAll("_", " ");

/** The sign of an outcome: no outcome is told by its colour alone. */
export const Sign = ({ outcome }: { outcome: Outcome }) => (
  <span class={`sign ${outcome}`} aria-hidden="true">
    {SIGNS[outcome]}
  </span>
);

export const Badge = ({ outcome, count }: { outcome: Outcome; count?: number }) => (
  <span class={`badge ${outcome}`}>
    <span aria-hidden="true">{SIGNS[outcome]}</span> {count === undefined ? "" : `${number(count)} `}
    {named(outcome)}
  </span>
);

export const Level = ({ level }: { level: string | undefined }) => (level ? <span class="level">{level}</span> : null);

/** A text in which double backticks mark code. */
export function Prose({ text }: { text: string | undefined }) {
  const parts = visible(text ?? "").split(/``([^`\n]+)``/);
  return <>{parts.map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part))}</>;
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages from disk may have no clipboard of their own in some browsers.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const act = async () => {
    await copy(text);
    setDone(true);
    setTimeout(() => setDone(false), 2_000);
  };
  return (
    <button type="button" class="copy" onClick={act}>
      <span aria-live="polite">{done ? "Copied" : `Copy ${label}`}</span>
    </button>
  );
}

/** A command that can be copied. What is shown has escapes for characters that would change how it looks. */
export const Command = ({ text, label }: { text: string; label: string }) => (
  <div class="command">
    <pre>{visible(text)}</pre>
    <Copy text={text} label={label} />
  </div>
);

export const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);
