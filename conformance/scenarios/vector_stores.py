"""Vector store scenarios: files attached alone and in batches, detached, counted, and expiry.

In a version without uploads, file ids are used that no file has. If a target refuses them, nothing is judged.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.scenarios.lists import Listing, Objects, listing
from conformance.scenarios.resource_kinds import Kind, kind
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import (
    IMPOSSIBLE,
    MARK,
    Prerequisites,
    call,
    create,
    created_id,
    poll,
    poll_status,
    prepared,
    request_body,
    status_of,
)
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

FILES, BATCHES = "vector_stores.files", "vector_stores.file_batches"
STORE = "vector_stores.get"

#: The final states of a file or a batch in a store.
ENDS = ("completed", "failed", "cancelled")


def _files(count: int) -> Kind:
    """A kind that needs ``count`` files. It serves to prepare them; no object of this kind is created."""
    return Kind(name=f"{count} files", prefix=FILES, needs="file")


def stores_with_files(
    spec: Spec, name: str, settings: Settings, files: int
) -> Generator[Step, tuple[Exchange, ...], tuple[Prerequisites, dict[str, str]] | None]:
    """Create files, a store with the first of them, and an empty store.

    Return the prerequisites and the ids by placeholder, or None if something could not be created.
    """
    ready = yield from prepared(spec, _files(files), name, settings, files)
    if ready is None:
        return None
    item = kind("vector_store")
    # The store begins with a file, so that detaching the second one leaves a number other than 0.
    first = create(spec, item, "store", wanted={"file_ids": [ready.needed[0]]}, role="store.create", **_unsure(spec))
    other = create(spec, item, "other", role="setup")
    answers = yield (first.at(name, "store"), other.at(name, "other"))
    ids = [created_id(seen) for seen in answers]
    if not (ids[0] and ids[1]):
        return None
    return ready, {**ready.known, "store": ids[0], "other": ids[1]}


def _unsure(spec: Spec) -> dict[str, Any]:
    """What a case expects that names an uploaded file: either outcome, where the version can't upload."""
    return {} if kind("file").has(spec, "create") else {"expect": Expect.EITHER}


def attach(spec: Spec, name: str, known: dict[str, str], number: int, file_id: str, **more: Any) -> Case:
    """A case that attaches a file to the store, with the undo that detaches it."""
    body = request_body(spec, f"{FILES}.create", {"file_id": file_id, "attributes": {"page": number}})
    placeholder = f"attached.{number}"
    undo = call(spec, f"{FILES}.delete", "{store}", f"{{{placeholder}}}", role="undo", known=known)
    made = call(
        spec,
        f"{FILES}.create",
        "{store}",
        role=more.pop("role", "attach"),
        body=body,
        known=known,
        creates={placeholder: "/id"},
        undo=undo,
        **{**_unsure(spec), **more},
    )
    return made.at(name, f"attach.{number}")


def _counted(exchange: Exchange) -> int:
    """The total number of files that a store reports, or -1."""
    value: Any = exchange.response.json if exchange.ok and exchange.response else None
    counts = value.get("file_counts") if isinstance(value, dict) else None
    total = counts.get("total") if isinstance(counts, dict) else None
    return total if isinstance(total, int) else -1


@scenario("vector_stores.files", operations=("vector_stores.create", f"{FILES}.create", f"{FILES}.list"), requests=60)
def files(spec: Spec, settings: Settings) -> Script:
    """Files are attached, processed, counted, listed by state, and detached without being deleted."""
    name = "vector_stores.files"
    made = yield from stores_with_files(spec, name, settings, 2)
    if made is None:
        return
    ready, known = made
    (seen,) = yield (attach(spec, name, known, 1, ready.needed[1]),)
    if not seen.ok:
        return
    known["attached.1"] = ready.needed[1]
    if kind("file").has(spec, "create"):
        nowhere = attach(spec, name, known, 2, "file-" + IMPOSSIBLE, role="attach.nowhere", expect=Expect.EITHER)
        (seen,) = yield (nowhere,)
        attached = created_id(seen)
        if attached is not None:
            here = {**known, "nowhere": attached}
            look = call(spec, f"{FILES}.get", "{store}", "{nowhere}", role="nowhere.get", known=here)
            yield from poll_status(look.at(name, "nowhere.get"), "nowhere.get", ENDS, settings)

    def on(operation: str, *ids: str, role: str, **more: Any) -> Case:
        return call(spec, operation, *ids, role=role, known=known, **more).at(name, role)

    yield from poll_status(on(f"{FILES}.get", "{store}", "{attached.1}", role="file.get"), "file.get", ENDS, settings)
    ended = yield from poll_status(on(STORE, "{store}", role="store.get"), "store.get", ENDS, settings)
    if status_of(ended) not in ENDS:
        return
    yield (
        on(f"{FILES}.list", "{store}", role="files"),
        on(f"{FILES}.list", "{store}", role="files.completed", query={"filter": "completed"}),
        on(f"{FILES}.list", "{store}", role="files.failed", query={"filter": "failed"}),
        on(f"{FILES}.get", "{other}", "{attached.1}", role="file.foreign", expect=Expect.EITHER),
    )
    # Read before the file is detached, to compare with the number afterwards.
    total = _counted(ended)
    (gone,) = yield (on(f"{FILES}.delete", "{store}", "{attached.1}", role="detach"),)
    if not gone.ok:
        return
    again = on(STORE, "{store}", role="store.after")
    yield from poll(
        lambda number: again.at(name, f"store.after.{number}"),
        lambda seen: _counted(seen) < total,
        settings,
        settings.read_after_write,
    )
    stay = "files.get" in operations_of(spec) and "files.upload" in operations_of(spec)
    if stay:
        known["file"] = ready.needed[1]
        yield (on("files.get", "{file}", role="file.kept"),)
    # Deleting a store must not delete the files in it.
    (gone,) = yield (on("vector_stores.delete", "{store}", role="store.delete"),)
    if stay and gone.ok:
        known["file"] = ready.needed[0]
        yield (on("files.get", "{file}", role="file.kept", expect=Expect.ACCEPT).at(name, "file.kept.later"),)


@scenario(
    "vector_stores.batches",
    operations=(f"{BATCHES}.create", f"{BATCHES}.get"),
    requests=60,
    features=("vector_stores.file_batches",),
)
def batches(spec: Spec, settings: Settings) -> Script:
    """A batch ends, counts and lists its own files; a cancelled batch does nothing more."""
    name = "vector_stores.batches"
    made = yield from stores_with_files(spec, name, settings, 5)
    if made is None:
        return
    ready, known = made

    def on(operation: str, *ids: str, role: str, **more: Any) -> Case:
        return call(spec, operation, *ids, role=role, known=known, **more).at(name, role)

    def batch(role: str, placeholder: str, ids: tuple[str, ...]) -> Case:
        body = {"file_ids": list(ids)}
        return on(f"{BATCHES}.create", "{store}", role=role, body=body, creates={placeholder: "/id"}, **_unsure(spec))

    (seen,) = yield (batch("batch.create", "batch", ready.needed[1:3]),)
    made_id = created_id(seen)
    if made_id is None:
        return
    known["batch"] = made_id
    look = on(f"{BATCHES}.get", "{store}", "{batch}", role="batch.get")
    ended = yield from poll_status(look, "batch.get", ENDS, settings)
    if status_of(ended) not in ENDS:
        return
    yield (
        look.at(name, "batch.get.again"),
        on(f"{BATCHES}.list_files", "{store}", "{batch}", role="batch.files"),
        on(f"{BATCHES}.list_files", "{store}", "{batch}", role="batch.failed", query={"filter": "failed"}),
        on(f"{BATCHES}.get", "{other}", "{batch}", role="batch.foreign", expect=Expect.EITHER),
    )
    # All files again: more work, so that the cancellation comes in time.
    (seen,) = yield (batch("cancel.create", "stopped", ready.needed),)
    stopped = created_id(seen)
    if stopped is None:
        return
    known["stopped"] = stopped
    late = on(f"{BATCHES}.cancel", "{store}", "{stopped}", role="cancel", expect=Expect.EITHER)
    (seen,) = yield (late,)
    if seen.ok:
        after = on(f"{BATCHES}.get", "{store}", "{stopped}", role="cancelled")
        yield from poll_status(after, "cancelled", ENDS, settings)
        yield (after.at(name, "cancelled.again"),)


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walk over the files of a batch, and the expiry of a store."""
    if f"{BATCHES}.list_files" in operations_of(spec):
        yield listing(spec, Listing(f"{BATCHES}.list_files", _batch_files), "Walks over the files of a batch.")
    if operations_of(spec).keys() >= {"vector_stores.create", STORE}:
        yield Scenario(
            id="vector_stores.expiry",
            operations=("vector_stores.create", STORE),
            script=_expiry,
            doc="A store with an expiry policy says when it expires.",
            requests=3,
            resource="vector_stores",
            features=("vector_stores.expiration",),
            module=__name__,
        )


def _expiry(spec: Spec, settings: Settings) -> Script:
    """A store with an expiry policy says when it expires."""
    name = "vector_stores.expiry"
    (seen,) = yield (create(spec, kind("vector_store"), "store", wanted={"metadata": MARK}).at(name, "create"),)
    made = created_id(seen)
    if made is not None:
        yield (call(spec, STORE, "{store}", role="store.get", known={"store": made}).at(name, "store.get"),)


def _batch_files(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create a batch and return its files, for the walk over their list."""
    made = yield from stores_with_files(spec, name, settings, 6)
    if made is None:
        return None
    ready, known = made
    wanted = ready.needed[1:]
    body = {"file_ids": list(wanted)}
    more = {"creates": {"batch": "/id"}, **_unsure(spec)}
    case = call(spec, f"{BATCHES}.create", "{store}", role="batch", body=body, known=known, **more)
    (seen,) = yield (case.at(name, "batch"),)
    batch = created_id(seen)
    if batch is None:
        return None
    known["batch"] = batch
    look = call(spec, f"{BATCHES}.get", "{store}", "{batch}", role="batch.get", known=known).at(name, "batch.get")
    yield from poll_status(look, "batch.get", ENDS, settings)
    above = ("{store}", "{batch}")
    every = call(spec, f"{BATCHES}.list_files", *above, role="list.all", query={"limit": 100}, known=known)
    yield (every.at(name, "list.all"),)
    return Objects(wanted, known, above, own=True)
