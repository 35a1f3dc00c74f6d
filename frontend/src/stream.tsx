// A stream as a picture over time, beside its events and their bytes. The rows are those of `replay`.

import { Fragment } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Mark } from "./body";
import { Json } from "./body";
import { tree } from "./json_tree";
import type { Exchange, Finding, Response, Row } from "./model";
import { bytesOf, cut, decoded, hexLines, inline, many, seconds, visible } from "./text";

export interface Told {
  check: string;
  finding: Finding;
}

interface Spot extends Told {
  row: number;
  pointer: string;
  byte: number | undefined;
}

/** Rows of the table that are shown at once. */
const MOST = 60;
const AROUND = 3;

/** Where findings belong among the rows, by the rule of conformance/evidence/timeline.py. */
export function spotsOf(rows: readonly Row[], told: readonly Told[]): Spot[] {
  return told.map((one) => {
    const place = one.finding.place ?? "";
    const event = /^event:(\d+)(\/.*)?$/s.exec(place);
    const byte = /^byte:(\d+)$/.exec(place);
    let row = 0;
    if (event)
      row = rows.findIndex(
        ([kind, , , , , index]) => (kind === "event" || kind === "rest") && index === Number(event[1]),
      );
    else if (byte)
      row = rows.findIndex(
        ([kind, , start, end]) => kind !== "answer" && start <= Number(byte[1]) && Number(byte[1]) < end,
      );
    return {
      ...one,
      row: row < 0 ? rows.length - 1 : row,
      pointer: event?.[2] ?? "",
      byte: byte ? Number(byte[1]) : undefined,
    };
  });
}

export function Stream({
  exchange,
  response,
  told,
}: {
  exchange: Exchange;
  response: Response;
  told: readonly Told[];
}) {
  const rows = exchange.rows ?? [];
  const spots = useMemo(() => spotsOf(rows, told), [rows, told]);
  const bytes = useMemo(() => bytesOf(response.body), [response]);
  const first = spots.find((spot) => !spot.finding.note)?.row ?? Math.min(1, rows.length - 1);
  const [at, setAt] = useState(first);
  const timed = response.timed !== false;
  return (
    <div class="stream">
      <h4>
        The stream over time{" "}
        <span class="quiet">
          {many(rows.filter(([kind]) => kind === "event").length, "event")}, {many(response.all_chunks, "chunk")},{" "}
          {timed
            ? `headers after ${seconds(response.headers_at)}, end after ${seconds(response.elapsed)}`
            : "arrival times are not known"}
        </span>
      </h4>
      <Picture rows={rows} chunks={response.chunks} spots={spots} at={at} choose={setAt} timed={timed} />
      <div class="sides">
        <Events rows={rows} bytes={bytes} spots={spots} at={at} choose={setAt} all={exchange.all_rows ?? rows.length} />
        <Selected row={rows[at]} bytes={bytes} spots={spots.filter((spot) => spot.row === at)} />
      </div>
    </div>
  );
}

interface PictureProps {
  rows: readonly Row[];
  chunks: readonly [number, number][];
  spots: readonly Spot[];
  at: number;
  choose: (row: number) => void;
  timed: boolean;
}

const HEIGHT = 118;
const EDGE = 14;

function Picture({ rows, chunks, spots, at, choose, timed }: PictureProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(900);
  useEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => setWidth(Math.max(260, entry?.contentRect.width ?? 900)));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  // From the headers on: the wait before them is told in words, and would press the events together.
  const from = timed ? (rows[0]?.[1] ?? 0) : 0;
  const whole = timed ? Math.max(1e-6, ...rows.map(([, time]) => time - from)) : Math.max(1, rows.length - 1);
  const along = (time: number): number => EDGE + (Math.max(0, time - from) / whole) * (width - 2 * EDGE);
  const x = (row: number): number => along(timed ? (rows[row]?.[1] ?? 0) : row);
  const broken = new Map<number, Spot[]>();
  for (const spot of spots) broken.set(spot.row, [...(broken.get(spot.row) ?? []), spot]);
  const gaps = timed ? longest(rows, whole) : [];
  const ticks = !timed ? [] : width < 500 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  const label = `${rows.length} rows; ${spots.length} marked${gaps.length > 0 ? `; the longest gap is ${seconds(gaps[0]?.[1] ?? 0)}` : ""}`;
  return (
    <div class="picture" ref={box}>
      <svg width={width} height={HEIGHT} role="img" aria-label={`Arrival over time: ${label}`}>
        <line class="axis" x1={EDGE} x2={width - EDGE} y1="78" y2="78" />
        {ticks.map((part) => (
          <g key={part}>
            <line
              class="axis"
              x1={EDGE + part * (width - 2 * EDGE)}
              x2={EDGE + part * (width - 2 * EDGE)}
              y1="78"
              y2="83"
            />
            <text
              x={EDGE + part * (width - 2 * EDGE)}
              y="112"
              text-anchor={part === 0 ? "start" : part === 1 ? "end" : "middle"}
            >
              {whole < 0.02 ? `${((from + part * whole) * 1000).toFixed(2)} ms` : seconds(from + part * whole)}
            </text>
          </g>
        ))}
        {timed && chunks.map(([time], place) => <circle key={place} class="chunk" cx={along(time)} cy="92" r="2.5" />)}
        {gaps.map(([row, gap]) => (
          <g key={row}>
            <rect class="gap" x={x(row - 1)} width={Math.max(0, x(row) - x(row - 1))} y="34" height="44" />
            {x(row) - x(row - 1) > 70 && (
              <text x={(x(row) + x(row - 1)) / 2} y="30" text-anchor="middle">
                silent {seconds(gap)}
              </text>
            )}
          </g>
        ))}
        {rows.map(([kind, , start, , , index], row) => {
          const marks = broken.get(row);
          const tone = marks ? (marks.every((spot) => spot.finding.note) ? "noted" : "broken") : kind;
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: as above
            <g
              key={`${kind}${start}${index}`}
              class={`tick ${tone} ${row === at ? "here" : ""}`}
              onClick={() => choose(row)}
            >
              <line x1={x(row)} x2={x(row)} y1={marks ? 18 : kind === "event" ? 44 : 56} y2="78" />
              {marks && (
                <text x={Math.min(Math.max(x(row), 8), width - 8)} y="14" text-anchor="middle">
                  ✗
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <p class="legend">
        <span class="tick event">event</span> <span class="tick comment">comment</span>{" "}
        <span class="tick answer">headers, end</span> <span class="tick chunk">chunk of bytes</span>{" "}
        {spots.length > 0 && <span class="tick broken">✗ broken rule</span>}
      </p>
    </div>
  );
}

/** The gaps that stand out, as row and seconds, the longest first: a fifth of the whole, and three times the median. */
function longest(rows: readonly Row[], whole: number): [number, number][] {
  const gaps = rows.map(([, time], row): [number, number] => [row, time - (rows[row - 1]?.[1] ?? 0)]).slice(1);
  const sorted = gaps.map(([, gap]) => gap).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return gaps
    .filter(([, gap]) => gap > 0.05 && gap > whole / 5 && gap > 3 * median)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3);
}

interface EventsProps {
  rows: readonly Row[];
  bytes: Uint8Array;
  spots: readonly Spot[];
  at: number;
  choose: (row: number) => void;
  all: number;
}

function Events({ rows, bytes, spots, at, choose, all }: EventsProps) {
  const [every, setEvery] = useState(false);
  const marked = new Set(spots.map((spot) => spot.row));
  const shown = rows.flatMap((_, row) => {
    const near = [...marked].some((one) => Math.abs(one - row) <= AROUND);
    return every || rows.length <= MOST || row < 5 || row >= rows.length - 5 || near || row === at ? [row] : [];
  });
  let before = -1;
  return (
    <div class="events">
      <table>
        <caption class="hidden">Events in the order of their bytes</caption>
        <thead>
          <tr>
            <th scope="col">at</th>
            <th scope="col">gap</th>
            <th scope="col">bytes</th>
            <th scope="col">what</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => {
            const [kind, time, start, end, name, index] = rows[row] as Row;
            const missing = row - before - 1;
            before = row;
            const mine = spots.filter((spot) => spot.row === row);
            const broken = mine.some((spot) => !spot.finding.note);
            return (
              <Fragment key={row}>
                {missing > 0 && (
                  <tr class="gap">
                    <td colSpan={4}>… {many(missing, "row")} …</td>
                  </tr>
                )}
                <tr class={`${broken ? "marked" : ""} ${row === at ? "here" : ""}`}>
                  <td class="n">{time.toFixed(3)}</td>
                  <td class="n">{row === 0 ? "" : `+${Math.max(0, time - (rows[row - 1]?.[1] ?? 0)).toFixed(3)}`}</td>
                  <td class="n">
                    {start}–{end}
                  </td>
                  <td>
                    <button type="button" aria-pressed={row === at} onClick={() => choose(row)}>
                      {kind === "event" ? `event ${index}` : kind === "rest" ? `cut off, event ${index}` : kind}
                      {name && ` ${inline(cut(name, 60))}`}
                    </button>{" "}
                    <span class="data">{gist(bytes.subarray(start, end))}</span>
                  </td>
                </tr>
                {mine.length > 0 && (
                  <tr class={broken ? "marked" : ""}>
                    <td colSpan={4}>
                      {mine.map((spot) => (
                        <p key={spot.check} class={spot.finding.note ? "said soft" : "said"}>
                          <span aria-hidden="true">▲</span> {spot.check}: {visible(spot.finding.message ?? "")}
                          {spot.pointer && ` at ${inline(spot.pointer)}`}
                          {spot.byte !== undefined && ` at byte ${spot.byte}`}
                          {spot.finding.expected && `; expected ${inline(cut(spot.finding.expected, 80))}`}
                          {spot.finding.actual && `; came ${inline(cut(spot.finding.actual, 80))}`}
                        </p>
                      ))}
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <button type="button" onClick={() => setEvery(true)}>
          Show all {many(rows.length, "row")}
        </button>
      )}
      {all > rows.length && <p class="caution">{many(all - rows.length, "more row")} are in report.jsonl.</p>}
    </div>
  );
}

/** The beginning of the data of a row, on one line. */
const gist = (bytes: Uint8Array): string =>
  inline(cut((decoded(bytes) ?? "(bytes)").replace(/^data: ?/, "").trimEnd(), 120));

/** The bytes of one row, and its data as JSON. */
function Selected({ row, bytes, spots }: { row: Row | undefined; bytes: Uint8Array; spots: readonly Spot[] }) {
  if (!row) return null;
  const [kind, , start, end, , index] = row;
  const own = bytes.subarray(start, end);
  const text = decoded(own);
  const data = (text ?? "")
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).replace(/^ /, ""))
    .join("\n");
  const marks: Mark[] = spots
    .filter((spot) => spot.pointer)
    .map((spot) => ({ pointer: spot.pointer, text: spot.finding.message ?? "", soft: spot.finding.note ?? false }));
  const spot = spots.find((one) => one.byte !== undefined)?.byte;
  return (
    <div class="selected">
      <h5>
        Bytes {start} to {end} {index === null ? kind : `of event ${index}`}
      </h5>
      {own.length === 0 ? (
        <p class="empty">No bytes of its own.</p>
      ) : text === undefined || spot !== undefined ? (
        <pre>{hexLines(around(own, spot === undefined ? 0 : spot - start), start).join("\n")}</pre>
      ) : (
        <pre>{ended(cut(text, 4_000))}</pre>
      )}
      {data && tree(data) && <Json text={data} marks={marks} label="Data of the event" />}
    </div>
  );
}

/** At most 512 bytes, from a multiple of 16 before the place. */
const around = (bytes: Uint8Array, place: number): Uint8Array => {
  const from = Math.max(0, Math.floor(place / 16) * 16 - 128);
  return bytes.subarray(from, from + 512);
};

/** A text whose line ends can be seen. */
const ended = (text: string): string =>
  text
    .split(/(\r\n|\n|\r)/)
    .reduce((made, part, place) => made + (place % 2 === 0 ? visible(part) : `${inline(part)}\n`), "");
