// What reports/page_index.py and reports/page_evidence.py write. Optional members are left out where they are empty.

export type Outcome =
  | "error"
  | "fail"
  | "waived"
  | "warn"
  | "pass"
  | "unavailable"
  | "inconclusive"
  | "not_testable"
  | "not_applicable";

/** All outcomes, the one that somebody should look at first in front. */
export const OUTCOMES: readonly Outcome[] = [
  "error",
  "fail",
  "warn",
  "unavailable",
  "inconclusive",
  "not_testable",
  "waived",
  "pass",
  "not_applicable",
];

export interface Rule {
  id: string;
  area: string;
  level?: string;
  title?: string;
  clause?: string;
  clause_text?: string;
  source?: string;
  provenance?: string;
}

export interface Finding {
  case?: string;
  message?: string;
  /** A JSON Pointer, `status`, `header:Name`, `byte:12`, `event:4` or `event:4/pointer`. */
  place?: string;
  expected?: string;
  actual?: string;
  note?: boolean;
  level?: string;
}

export interface Waived {
  outcome: Outcome;
  text: string;
  owner: string;
  reason: string;
  link: string;
  expires: string;
  since: string;
}

/** Numbers are places in the lists of the same name in the index. */
export interface Verdict {
  rule: number;
  scenario: number;
  operation: number;
  group: string;
  outcome: Outcome;
  judged?: number;
  reason?: string;
  witness?: string;
  cause?: string;
  coverage?: string;
  stability?: string;
  unstable?: boolean;
  errata?: string[];
  /** The trace that the findings are from, if it is not that of the scenario. */
  trace?: string;
  waived?: Waived;
  findings?: Finding[];
  /** The number of all findings; not all of them are listed. */
  found?: number;
}

export interface Cause {
  title: string;
  remedy: string;
  outcome: Outcome;
  level: string;
  verdicts: number[];
  rules: number;
  operations: string[];
  requests: number;
  example: string;
}

/** Case id, operation, what was expected, status or "none", 1 if it succeeded, part of the evidence or -1. */
export type Step = [string, number, string, string, number, number];

export interface Trace {
  ended: string;
  steps: Step[];
}

export interface Drift {
  operation: string;
  path: string;
  value: string;
  count: number;
  case: string;
}

export interface Index {
  version: string;
  headline: { text: string; tone: string; coverage: string[]; unstable: string; outdated: string[] };
  scope: { narrowed: boolean; text: string; selection: Record<string, string[]>; reasons: [string, string][] };
  run: {
    target: string;
    seed: number;
    started: string;
    finished: string;
    truncated: boolean;
    interrupted: boolean;
    suite: string;
    spec: string;
    notes: string[];
    folder: string;
    requests: number;
    operations: number;
    checks: number;
  };
  drift: Drift[];
  errata: Record<string, string>;
  rules: Rule[];
  operations: string[];
  scenarios: string[];
  causes: Cause[];
  verdicts: Verdict[];
  traces: Record<string, Trace>;
  examples: number;
}

export interface Body {
  text?: string;
  base64?: string;
  /** The length of the whole text or base64, if it was cut. */
  of?: number;
}

export interface Request {
  method: string;
  url: string;
  headers: [string, string][];
  body: Body;
}

export interface Response {
  status: number;
  reason: string;
  http_version: string;
  headers: [string, string][];
  body: Body;
  /** Seconds after sending, and bytes. */
  chunks: [number, number][];
  all_chunks: number;
  complete: boolean;
  elapsed: number;
  headers_at: number;
  shortened?: { size: number; sha256: string; head: number; reason: string };
  timed?: boolean;
  /** Bytes that came after the end of the answer, on the same connection. */
  surplus?: number;
}

export interface Attempt {
  request: Request;
  response: Response | null;
  fault: { kind: string; message: string; at: number } | null;
}

/** Kind, seconds after sending, first byte, byte after the last, name, number of the event. */
export type Row = [string, number, number, number, string, number | null];

export interface Exchange extends Attempt {
  trace: string;
  id: string;
  operation: string;
  path: string;
  family: string;
  expect: string;
  reason: string;
  step: string;
  breaks: { pointer: string; keyword: string; location: string; clause: string } | null;
  started: string;
  attempts: Attempt[];
  curl: string | null;
  replay: string[] | null;
  support: string;
  rows?: Row[];
  all_rows?: number;
}
