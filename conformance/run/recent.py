"""The traces that were written last, in memory up to a size: most are judged soon after they were sent."""

from __future__ import annotations

from collections import OrderedDict

from conformance.evidence.trace import Trace

__all__ = ["MOST", "Recent"]

#: The most bytes of all traces together, by estimate.
MOST = 12_000_000

#: What an exchange takes beside its bodies.
_OVERHEAD = 12_000


def _size(trace: Trace) -> int:
    """About how many bytes a trace takes in memory."""
    answers = (seen.exchange.response for seen in trace)
    bodies = sum(len(seen.exchange.request.body) for seen in trace)
    # An answer may be kept as it came and joined.
    return bodies + sum(2 * len(answer.body) for answer in answers if answer) + _OVERHEAD * len(trace.observations)


class Recent:
    """Traces by scenario; the oldest leave when there are too many. Not thread-safe: its owner locks."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._held = most, 0
        self._asked = ""
        self._traces: OrderedDict[str, tuple[int, Trace]] = OrderedDict()

    def add(self, trace: Trace) -> None:
        """Keep a trace, and at least this one."""
        size = _size(trace)
        before, _ = self._traces.pop(trace.scenario, (0, None))
        self._held += size - before
        self._traces[trace.scenario] = size, trace
        while self._held > self._most and len(self._traces) > 1:
            _, (freed, _) = self._traces.popitem(last=False)
            self._held -= freed

    def get(self, scenario: str) -> Trace | None:
        """The trace of a scenario, if it is still here.

        The one that was asked for before it was judged: it makes room for those that wait for that, and what its checks
        computed, which takes many times its size, is let go. Who still wants it reads it from the file.
        """
        if scenario != self._asked:
            size, before = self._traces.pop(self._asked, (0, None))
            self._held -= size
            for seen in before or ():
                if seen.exchange.response is not None:
                    seen.exchange.response.forget()
            self._asked = scenario
        found = self._traces.get(scenario)
        return found and found[1]
