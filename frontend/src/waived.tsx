// Known failures: who answers for them, why, and until when. They don't decide the conclusion.

import { Badge } from "./badge";
import { EMPTY, toFragment } from "./filter";
import type { Index, Verdict } from "./model";
import { many, visible } from "./text";

export function Waived({ index }: { index: Index }) {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of index.verdicts) {
    if (!verdict.waived) continue;
    const key = `${verdict.rule} ${verdict.waived.outcome} ${verdict.waived.text}`;
    groups.set(key, [...(groups.get(key) ?? []), verdict]);
  }
  if (groups.size === 0) return null;
  return (
    <section aria-labelledby="waived">
      <h2 id="waived">
        Waived <span class="quiet">known failures, which don't decide the conclusion</span>
      </h2>
      <ul class="causes">
        {[...groups].map(([key, verdicts]) => (
          <One key={key} index={index} verdicts={verdicts} />
        ))}
      </ul>
    </section>
  );
}

function One({ index, verdicts }: { index: Index; verdicts: Verdict[] }) {
  const [first] = verdicts;
  if (!first?.waived) return null;
  const check = index.rules[first.rule]?.id ?? "";
  return (
    <li class="cause waived">
      <p>
        <Badge outcome={first.waived.outcome} /> <strong>{check}</strong>, {many(verdicts.length, "verdict")}:{" "}
        {visible(first.waived.text)}
      </p>
      <p class="links">
        <a href={toFragment({ ...EMPTY, outcome: ["waived"], check })}>Show in the list</a>
      </p>
    </li>
  );
}
