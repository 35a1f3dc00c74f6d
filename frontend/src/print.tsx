// What is printed with the overview: the failing evidence. Printing can't wait, so it was read before.

import { Badge, Prose } from "./badge";
import { knownExchange } from "./data";
import { Exchange } from "./exchange";
import { itemName } from "./filter";
import { toldOf, traceOf } from "./item";
import type { Index } from "./model";
import { many } from "./text";

export function Printed({ index }: { index: Index }) {
  const shown = index.causes.flatMap((cause) => {
    const verdict = index.verdicts[cause.verdicts[0] ?? 0];
    const seen = verdict && cause.example ? knownExchange(traceOf(index, verdict), cause.example) : undefined;
    return verdict && seen ? [{ cause, verdict, seen }] : [];
  });
  if (shown.length === 0) return null;
  return (
    <section class="printed">
      <h2>Evidence: one example of {many(shown.length, "cause")}</h2>
      {shown.map(({ cause, verdict, seen }) => (
        <section key={itemName(index, verdict)}>
          <h3>
            <Badge outcome={cause.outcome} /> <Prose text={cause.title} /> <small>{itemName(index, verdict)}</small>
          </h3>
          <Exchange index={index} seen={seen} told={toldOf(index, traceOf(index, verdict), seen.id, verdict)} />
        </section>
      ))}
    </section>
  );
}
