"""Files that are attached to an assistant, in versions that have them as objects, and detached again."""

from __future__ import annotations

from conformance.requests.case import Case
from conformance.scenarios.files import READY
from conformance.scenarios.lists import ANOTHER_SECOND, ids_of
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, create, created_id, poll, poll_status
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

_NAME = "assistants.attached"
_FILES = "assistants.files"


@scenario(
    _NAME,
    operations=("assistants.get", f"{_FILES}.create", f"{_FILES}.list", f"{_FILES}.delete", "files.upload"),
    requests=30,
)
def attached(spec: Spec, settings: Settings) -> Script:
    """Two files are attached to an assistant, one after the other; the first one is detached again."""
    maker = create(spec, kind("assistant"), "assistant", wanted={"tools": []}, role="setup").at(_NAME, "assistant")
    (seen,) = yield (maker,)
    made = created_id(seen)
    if made is None:
        return
    known = {"assistant": made}

    def on(operation: str, *ids: str, role: str, step: str = "") -> Case:
        return call(spec, operation, *ids, role=role, known=known).at(_NAME, step or role)

    for key in ("older", "newer"):
        (seen,) = yield (create(spec, kind("file"), key, role="setup.file").at(_NAME, key),)
        made = created_id(seen)
        if made is None:
            return
        known[key] = made
        if "files.get" in operations_of(spec):
            look = on("files.get", f"{{{key}}}", role="setup.get", step=f"{key}.get")
            yield from poll_status(look, f"{key}.get", READY, settings)
        item = kind("assistant_file")
        files = create(spec, item, f"attached.{key}", ("{assistant}",), {**known, "file": made}, role=f"attach.{key}")
        (seen,) = yield (files.at(_NAME, f"attach.{key}"),)
        if not seen.ok:
            return
        # Times are whole seconds: without a pause both files could have the same one.
        yield ANOTHER_SECOND
    both = {known["older"], known["newer"]}
    listed = on(f"{_FILES}.list", "{assistant}", role="files")
    yield from poll(
        lambda number: listed.at(_NAME, f"files.{number}"),
        lambda seen: both <= set(ids_of(seen)),
        settings,
        settings.read_after_write,
    )
    yield (on("assistants.get", "{assistant}", role="assistant.get"),)
    (gone,) = yield (on(f"{_FILES}.delete", "{assistant}", "{older}", role="detach"),)
    if not gone.ok:
        return
    after = on(f"{_FILES}.list", "{assistant}", role="files-after")
    yield from poll(
        lambda number: after.at(_NAME, f"files-after.{number}"),
        lambda seen: known["older"] not in ids_of(seen),
        settings,
        settings.read_after_write,
    )
    yield (on("assistants.get", "{assistant}", role="assistant.after"),)
    if "files.get" in operations_of(spec):
        yield (on("files.get", "{older}", role="file.kept"),)
