// One request and its answer side by side, with the places that findings name, and what sends it again.

import { Command, Copy } from "./badge";
import type { Mark } from "./body";
import { Body } from "./body";
import { tree } from "./json_tree";
import type { Attempt, Body as Content, Index, Exchange as Seen } from "./model";
import type { Told } from "./stream";
import { Stream } from "./stream";
import { many, quoted, seconds, visible } from "./text";

interface Props {
  index: Index;
  seen: Seen;
  told: readonly Told[];
}

export function Exchange({ index, seen, told }: Props) {
  const { response, fault, breaks } = seen;
  const stream = seen.rows !== undefined && response !== null;
  const inBody = response !== null && !stream && isJson(response.body);
  const marks: Mark[] = told
    .filter(({ finding }) => pointed(finding) && inBody)
    .map(({ check, finding }) => ({
      pointer: finding.place ?? "",
      text: sentence(check, finding),
      soft: finding.note ?? false,
      ...(finding.actual ? { value: finding.actual } : {}),
    }));
  const at = (place: string): Told[] =>
    told.filter(({ finding }) => (finding.place ?? "").toLowerCase() === place.toLowerCase());
  const broken: Mark[] =
    breaks?.location === "body"
      ? [
          {
            pointer: breaks.pointer,
            text: `this request breaks ${breaks.clause || breaks.keyword} here, on purpose`,
            soft: true,
          },
        ]
      : [];
  const elsewhere = told.filter(({ finding }) => {
    const place = finding.place ?? "";
    if (pointed(finding)) return !inBody;
    return /^(event|byte):/.test(place) ? !stream : !/^(status$|header:)/.test(place);
  });
  return (
    <article class="exchange">
      <p class="case">
        <code>{seen.operation}</code> case <code>{seen.id}</code>: {seen.family} request, a correct target{" "}
        {seen.expect === "accept"
          ? "accepts it"
          : seen.expect === "reject"
            ? "refuses it"
            : "is judged by what the rules say of its answer"}
        {seen.reason && `: ${visible(seen.reason)}`}
        {breaks &&
          breaks.location !== "body" &&
          ` (breaks ${breaks.keyword} at ${breaks.location} ${visible(breaks.pointer)})`}
        {seen.step && (
          <>
            . Step <code>{seen.step}</code>
          </>
        )}
      </p>
      <div class="again">
        {seen.curl && <Command text={seen.curl} label="curl" />}
        {seen.replay && <Command text={seen.replay.map(quoted).join(" ")} label="replay" />}
        {seen.support && <Command text={seen.support} label="request ids" />}
      </div>
      <div class="sides">
        <section class="side" aria-label="Request">
          <h4>Request</h4>
          <p class="start">
            <strong>{visible(seen.request.method)}</strong> <code>{visible(seen.request.url)}</code>
          </p>
          <Headers headers={seen.request.headers} at={() => []} />
          <Body content={seen.request.body} marks={broken} label="Body of the request" />
        </section>
        <section class="side" aria-label="Response">
          <h4>Response</h4>
          {seen.attempts.map((attempt) => (
            <p class="caution" key={earlier(attempt)}>
              {earlier(attempt)}
            </p>
          ))}
          {fault && (
            <p class="alarm">
              {fault.kind} after {seconds(fault.at)}: {visible(fault.message)}
            </p>
          )}
          <Said told={response ? elsewhere : told} />
          {response && (
            <>
              <p class={at("status").length > 0 ? "start marked" : "start"}>
                <strong>{response.status}</strong> {visible(response.reason)}{" "}
                <span class="quiet">
                  {response.http_version}
                  {response.timed !== false && `, ${seconds(response.elapsed)}`}
                </span>
              </p>
              <Said told={at("status")} />
              <Headers headers={response.headers} at={(name) => at(`header:${name}`)} />
              <Missing told={told} headers={response.headers} />
              {response.shortened && (
                <p class="caution">
                  {response.shortened.size} bytes, SHA-256 {response.shortened.sha256}; only the beginning and the end
                  are kept: {visible(response.shortened.reason)}
                </p>
              )}
              {stream ? (
                <details>
                  <summary>The whole body as it came</summary>
                  <Body content={response.body} marks={[]} label="Body of the response" />
                </details>
              ) : (
                <Body content={response.body} marks={marks} label="Body of the response" />
              )}
              {response.surplus !== undefined && (
                <p class="caution">{many(response.surplus, "byte")} came after the end of this answer.</p>
              )}
              {!response.complete && <p class="caution">The body did not end properly.</p>}
            </>
          )}
          {!response && !fault && <p class="empty">No answer.</p>}
        </section>
      </div>
      {stream && <Stream exchange={seen} response={response} told={told} />}
      <p class="links">
        <Copy text={linkTo(index, seen)} label="link to this exchange" />
      </p>
    </article>
  );
}

/** True for a finding about a place in the body, or about the whole of it. */
const pointed = (finding: Told["finding"]): boolean => /^($|\/)/.test(finding.place ?? "");

const isJson = (body: Content): boolean =>
  body.text !== undefined && body.of === undefined && tree(body.text) !== undefined;

const linkTo = (_index: Index, seen: Seen): string =>
  `${location.href.split("#")[0]}#${new URLSearchParams({ case: seen.id, trace: seen.trace })}`;

const sentence = (check: string, finding: Told["finding"]): string =>
  [
    `${check}: ${finding.message ?? ""}${/^(event|byte|\/)/.test(finding.place ?? "") ? ` at ${finding.place}` : ""}`,
    finding.expected && `expected ${finding.expected}`,
    finding.actual && `came ${finding.actual}`,
  ]
    .filter(Boolean)
    .join("; ");

const earlier = (attempt: Attempt): string =>
  `An earlier attempt was answered with ${attempt.response?.status ?? attempt.fault?.kind ?? "nothing"}.`;

const Said = ({ told }: { told: readonly Told[] }) => (
  <>
    {told.map(({ check, finding }) => (
      <p class={finding.note ? "said soft" : "said"} key={`${check}${finding.message}`}>
        <span aria-hidden="true">▲</span> {visible(sentence(check, finding))}
      </p>
    ))}
  </>
);

/** Findings about a header that isn't there. */
function Missing({ told, headers }: { told: readonly Told[]; headers: readonly [string, string][] }) {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const absent = told.filter(({ finding }) => {
    const place = finding.place ?? "";
    return place.startsWith("header:") && !names.has(place.slice(7).toLowerCase());
  });
  return <Said told={absent} />;
}

function Headers({ headers, at }: { headers: readonly [string, string][]; at: (name: string) => Told[] }) {
  const marked = headers.some(([name]) => at(name).length > 0);
  return (
    <details class="headers" open={marked}>
      <summary>{headers.length} headers</summary>
      <dl>
        {headers.map(([name, value], place) => (
          <div key={place} class={at(name).length > 0 ? "marked" : ""}>
            <dt>{visible(name)}</dt>
            <dd>
              {visible(value)}
              <Said told={at(name)} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
