"""Container scenarios: files that are put into a container, by upload or as copies, and read back byte for byte."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from conformance.requests.case import Case, Multipart, Part
from conformance.scenarios.files import BINARY, READY
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, create, created_id, poll_status
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

_NAME, _FILES = "containers.files", "containers.files"

#: What a container is asked to be, beside its name.
WANTED = {"memory_limit": "4g", "expires_after": {"anchor": "last_active_at", "minutes": 15}}


@scenario(
    _NAME,
    operations=("containers.create", f"{_FILES}.create", f"{_FILES}.get", f"{_FILES}.list", f"{_FILES}.content"),
    uses=("files.upload",),
    requests=30,
    expensive="code-interpreter",
)
def files(spec: Spec, settings: Settings) -> Script:
    """A container is made with a copy of a file; it gets another copy and an upload, whose bytes are read back."""
    (seen,) = yield (create(spec, kind("file"), "file", role="setup.file").at(_NAME, "file"),)
    source = created_id(seen)
    if source is None:
        return
    known = {"file": source}
    if "files.get" in operations_of(spec):
        look = call(spec, "files.get", "{file}", role="setup.get", known=known).at(_NAME, "file.get")
        yield from poll_status(look, "file.get", READY, settings)
    item = kind("container")
    filled = create(spec, item, "container", known=known, wanted={**WANTED, "file_ids": ["{file}"]}, role="container")
    # Without the optional fields the documented defaults hold.
    plain = create(spec, item, "plain", bare=True, role="plain")
    answers = yield (filled.at(_NAME, "container"), plain.at(_NAME, "plain"))
    made = created_id(answers[0])
    if made is None:
        return
    known["container"] = made

    def on(verb: str, *ids: str, role: str, **more: Any) -> Case:
        return call(spec, f"{_FILES}.{verb}", "{container}", *ids, role=role, known=known, **more).at(_NAME, role)

    upload = create(spec, evolve(kind("container_file"), upload=evolve(BINARY, purpose="")), "sent", ("{container}",),
                    known, role="sent").at(_NAME, "sent")  # fmt: skip
    form = Multipart((Part("file_id", source.encode()),))
    answers = yield (
        call(spec, "containers.get", "{container}", role="container.get", known=known).at(_NAME, "container.get"),
        on("list", role="copied"),
        upload,
        on("create", role="copy", form=form, expensive="code-interpreter"),
    )
    for key, seen in zip(("sent", "copy"), answers[2:], strict=True):
        id = created_id(seen)
        if id is not None:
            known[key] = id
    kept = [key for key in ("sent", "copy") if key in known]
    if kept:
        looks = [on("get", f"{{{key}}}", role=f"{key}.get") for key in kept]
        yield (*looks, *(on("content", f"{{{key}}}", role=f"{key}.content") for key in kept), on("list", role="files"))
