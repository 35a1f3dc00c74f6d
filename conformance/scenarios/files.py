"""File scenarios: uploaded in a form, listed by purpose, read back byte for byte, deleted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.scenarios.lists import OBJECTS, Listing, Objects, listing
from conformance.scenarios.resource_kinds import Upload, kind
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import MARK, call, create, created_id, poll_status, prepared
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

#: A file with every byte value, and with bytes that look like the beginning of UTF-8 and are none.
BINARY = Upload(
    "conformance-bytes-{run}.bin", "assistants", bytes(range(256)) + b"\x00\xff\x80\xc3(", "application/octet-stream"
)

#: The states of a file that is no longer processed; documents of several ages use different words.
READY = ("processed", "uploaded", "succeeded", "error", "failed", "deleted", "")


@scenario("files.content", operations=("files.upload", "files.get", "files.list"), requests=30)
def content(spec: Spec, settings: Settings) -> Script:
    """Two files of different purposes keep their name, size, purpose and every byte until they are deleted."""
    name, known = "files.content", dict[str, str]()
    kinds = {"training": kind("training_file"), "notes": kind("file")}
    uploads = [create(spec, item, key, role=f"{key}.upload").at(name, key) for key, item in kinds.items()]
    answers = yield tuple(uploads)
    for key, seen in zip(kinds, answers, strict=True):
        made = created_id(seen)
        if made is not None:
            known[key] = made
    # Later steps read and delete the training file. The other one may be missing: they then act on one file.
    if "training" not in known:
        return

    def on(operation: str, key: str, role: str, expect: Expect = Expect.ACCEPT) -> Case:
        return call(spec, operation, f"{{{key}}}", role=f"{key}.{role}", known=known, expect=expect).at(
            name, f"{key}.{role}"
        )

    for key in known:
        yield from poll_status(on("files.get", key, "get"), f"{key}.get", READY, settings)
    read = "files.content" in operations_of(spec)
    if read:
        # The service doesn't hand out files with the purpose "assistants", so both outcomes are right.

        either = {"notes": Expect.EITHER}
        yield tuple(on("files.content", key, "content", either.get(key, Expect.ACCEPT)) for key in known)
        yield from _binary(spec, name)
    yield tuple(_lists(spec, name))
    if "files.delete" in operations_of(spec):
        (gone,) = yield (on("files.delete", "training", "delete"),)
        if gone.ok and read:
            yield (on("files.content", "training", "content-after", Expect.EITHER),)


def _binary(spec: Spec, name: str) -> Script:
    """Upload a file that isn't text, and read it. A target may refuse its type, and content with this purpose."""
    file = evolve(kind("file"), upload=BINARY)
    sent = create(spec, file, "binary", role="binary.upload", expect=Expect.EITHER).at(name, "binary")
    (answer,) = yield (sent,)
    made = created_id(answer)
    if made is not None:
        known = {"binary": made}
        case = call(spec, "files.content", "{binary}", role="binary.content", known=known, expect=Expect.EITHER)
        yield (case.at(name, "binary.content"),)


def _lists(spec: Spec, name: str) -> Iterator[Case]:
    """Yield the list of files, whole and by purpose."""
    yield call(spec, "files.list", role="files").at(name, "files")
    if operations_of(spec)["files.list"].parameter("query", "purpose"):
        for purpose in ("fine-tune", "assistants"):
            role = f"files.{purpose}"
            yield call(spec, "files.list", role=role, query={"purpose": purpose}).at(name, role)


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walk over the files of a message, in versions in which messages have files."""
    if {"threads.messages.files.list", "files.upload"} <= set(operations_of(spec)):
        yield listing(
            spec, Listing("threads.messages.files.list", _message_files), "Walks over the files of a message."
        )


def _message_files(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create a message with files and return the files, for the walk over their list."""
    ready = yield from prepared(spec, kind("assistant_file"), name, settings, OBJECTS)
    if ready is None:
        return None
    (seen,) = yield (create(spec, kind("thread"), "thread", role="setup").at(name, "thread"),)
    thread = created_id(seen)
    if thread is None:
        return None
    known = ready.with_ids(thread=thread)
    body: dict[str, Any] = {"role": "user", "content": "See the files.", "file_ids": list(ready.needed)}
    case = call(
        spec,
        "threads.messages.create",
        "{thread}",
        role="message",
        body={**body, "metadata": MARK},
        known=known,
        creates={"message": "/id"},
    )
    (seen,) = yield (case.at(name, "message"),)
    message = created_id(seen)
    if message is None:
        return None
    known = {**known, "message": message, "one": ready.needed[0]}
    above = ("{thread}", "{message}")
    one = call(spec, "threads.messages.files.get", *above, "{one}", role="file.get", known=known)
    every = call(spec, "threads.messages.files.list", *above, role="list.all", query={"limit": 100}, known=known)
    yield (one.at(name, "file.get"), every.at(name, "list.all"))
    return Objects(ready.needed, known, above, own=True)
