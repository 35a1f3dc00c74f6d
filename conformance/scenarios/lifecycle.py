"""Create → get → list → modify → get → delete → get is 404 → delete again, for every kind that has these operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.cases import Case, Expect
from conformance.scenario import Scenario, Script, Settings
from conformance.scenarios.kinds import KINDS, Kind
from conformance.scenarios.steps import call, create, create_parents, created_id, poll, request_body
from conformance.spec import Spec

#: Requests of a lifecycle, with room for polls.
REQUESTS = 14


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One lifecycle for each kind with create, get and delete."""
    for item in KINDS:
        if item.has(spec, "create", "get"):
            verbs = [verb for verb in ("create", "get", "list", "modify", "delete") if item.has(spec, verb)]
            yield Scenario(
                id=f"lifecycle.{item.prefix}",
                operations=tuple(item.operation(verb) for verb in verbs),
                script=_script(item),
                doc=f"The life of one {item.name}, from its creation to its end.",
                requests=REQUESTS,
                tokens=item.tokens,
                resource=item.prefix.split(".", maxsplit=1)[0],
                expensive=item.expensive,
                module=__name__,
            )


def _script(item: Kind) -> Callable[[Spec, Settings], Script]:
    def script(spec: Spec, settings: Settings) -> Script:
        name = f"lifecycle.{item.prefix}"
        known = yield from create_parents(spec, item, name)
        if known is None:
            return
        above = tuple(f"{{{key}}}" for key in known)
        path = (*above, f"{{{item.name}}}")
        (exchange,) = yield (create(spec, item, item.name, above, known).at(name, "create"),)
        made = created_id(exchange, item.creates)
        if made is None:
            return
        known = {**known, item.name: made}

        def get(role: str) -> Callable[[int], Case]:
            def numbered(number: int) -> Case:
                step = f"{role}.{number}" if number else role
                found = call(spec, item.operation("get"), *path, role=step, known=known, expect=Expect.EITHER)
                return found.at(name, step)

            return numbered

        yield from poll(get("get"), lambda seen: seen.ok, settings, settings.read_after_write)
        if item.has(spec, "list"):
            yield (call(spec, item.operation("list"), *above, role="list", known=known).at(name, "list"),)
        if item.has(spec, "modify") and item.change:
            body = request_body(spec, item.operation("modify"), item.change)
            modify = call(spec, item.operation("modify"), *path, role="modify", body=body, known=known)
            (changed,) = yield (modify.at(name, "modify"),)
            if changed.ok:
                yield from poll(
                    get("modified"),
                    lambda seen: seen.ok and _holds(seen.response.json if seen.response else None, body),
                    settings,
                    settings.read_after_write,
                )
        if item.has(spec, "delete"):
            delete = call(spec, item.operation("delete"), *path, role="delete", known=known)
            (gone,) = yield (delete.at(name, "delete"),)
            if gone.ok:
                yield from poll(get("deleted"), lambda seen: seen.status == 404, settings, settings.read_after_write)
                again = call(
                    spec, item.operation("delete"), *path, role="delete-again", known=known, expect=Expect.EITHER
                )
                yield (again.at(name, "delete-again"),)

    return script


def _holds(value: object, body: dict[str, object]) -> bool:
    if not isinstance(value, dict):
        return False
    return all(value.get(key) == wanted for key, wanted in body.items() if isinstance(wanted, str))
