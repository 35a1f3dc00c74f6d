"""The corpus of a Spec: every request that a profile sends, derived offline and cached.

The cases depend only on the Spec, the profile and the seed: not on the process, the machine, the hash seed, the order
of the operations, or the answers of a server.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from conformance._parts import late
from conformance.errors import HarnessError, UsageError
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.spec.cache import READING, Makers, cache_folder, code_of, digest_of, prune, used
from conformance.spec.choices import choice_of
from conformance.spec.derived import shipped
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

if TYPE_CHECKING:
    from strategies import compose
else:
    compose = late("strategies.compose")

__all__ = ["Corpus", "OperationCorpus", "build_corpus", "corpus_digest", "lines_of", "shipped_name"]

#: What a corpus depends on, beside the Spec and the choices: the rooms that its code imports from, and the libraries
#: that they use. A test follows the imports and finds what is missing here.
DERIVING = Makers(
    parts=(
        *("__init__.py", "_parts.py", "errors.py", "pointer.py", "redaction.py", "verdict.py"),
        *(f"{room}/**/*.py" for room in ("spec", "schema", "requests", "evidence", "strategies", "corpus")),
    ),
    libraries=(
        *READING.libraries,
        *("hypothesis", "jsonschema-rs", "referencing", "regress", "rfc3339-validator", "schemathesis"),
    ),
)


@frozen
class OperationCorpus:
    """The cases of one operation, and the cases that create what they need.

    ``fresh`` are those that must be sent again before each use. ``by_type`` lists fields that were filled by type
    alone; ``left_out`` says why something documented has no case.
    """

    operation: str
    resource: str
    cases: tuple[Case, ...] = field(repr=False)
    setup: tuple[Case, ...] = field(default=(), repr=False)
    fresh: tuple[Case, ...] = field(default=(), repr=False)
    by_type: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(factory=dict, repr=False)

    def as_derived(self) -> compose.OperationCases:
        """The same as the strategies have it."""
        return compose.OperationCases(
            self.operation,
            self.resource,
            self.cases,
            self.setup,
            self.fresh,
            self.by_type,
            tuple(self.left_out.items()),
        )


@frozen
class Corpus:
    """The corpora of all operations of one Spec, by operationId."""

    spec: Spec = field(repr=False)
    profile: str
    seed: int
    operations: Mapping[str, OperationCorpus] = field(repr=False)

    def __iter__(self) -> Iterator[Case]:
        for made in self.operations.values():
            yield from made.cases

    def __len__(self) -> int:
        return sum(len(made.cases) for made in self.operations.values())

    @property
    def parts(self) -> tuple[OperationCorpus, ...]:
        """The corpora of the operations, in document order."""
        return tuple(self.operations.values())

    def find(self, prefix: str) -> Case:
        """The case whose id is or begins with ``prefix``. Raises :class:`UsageError` if there is none or more than
        one.
        """
        found = [case for case in self if case.id.startswith(prefix)]
        if len(found) != 1:
            what = "no case" if not found else f"{len(found)} cases"
            raise UsageError(f"{what} with an id that begins with {prefix!r}")
        return found[0]

    @property
    def digest(self) -> str:
        """SHA-256 over all cases, independent of the order of the operations."""
        return corpus_digest(self)


def corpus_digest(cases: Iterable[Case]) -> str:
    """SHA-256 over the JSON forms of the cases, sorted by id."""
    total = hashlib.sha256()
    for case in sorted(cases, key=lambda case: (case.id, case.operation)):
        total.update(_line(case.to_json(), ordered=True).encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def build_corpus(
    spec: Spec,
    profile: str = Profile.STANDARD,
    seed: int = 0,
    *,
    operations: Iterable[str] | None = None,
    expensive: frozenset[str] = frozenset(),
    cached: bool = True,
) -> Corpus:
    """The corpus of a Spec: as it came with the package, from the cache, or built one operation at a time and cached.

    ``operations`` limits it to some operationIds; ``expensive`` names opt-in kinds that add cases. Raises
    :class:`UsageError` for an unknown profile and :class:`HarnessError` if two requests have the same id.
    """
    if profile not in Profile.ALL:
        raise UsageError(f"unknown profile {profile!r}", hint=f"one of {', '.join(Profile.ALL)}")
    known = operations_of(spec)
    wanted = [name for name in known if operations is None or name in set(operations)]
    stored = _stored(spec, profile, seed, expensive) if cached else None
    if stored is None:
        composer = compose.Composer(spec, profile, expensive, seed, _whole(spec, profile, seed, expensive, cached))
        # A cache file holds all operations, so that a run of a few operations serves later runs too.
        names = list(known) if cached else wanted
        rows = {name: _corpus_of(composer.operation(known[name])) for name in names}
        _no_collisions(rows.values())
        if cached:
            _write(_cache_file(spec, profile, seed, expensive), rows.values())
        stored = rows
    return Corpus(spec, profile, seed, {name: stored[name] for name in wanted})


def _whole(
    spec: Spec, profile: str, seed: int, expensive: frozenset[str], cached: bool
) -> Mapping[str, compose.OperationCases]:
    """The cases of the standard profile for a small one, whose cases are among them, if they were derived before."""
    if not cached or profile not in Profile.CHOSEN:
        return {}
    found = _stored(spec, Profile.STANDARD, seed, expensive) or {}
    return {name: row.as_derived() for name, row in found.items()}


def _stored(spec: Spec, profile: str, seed: int, expensive: frozenset[str]) -> dict[str, OperationCorpus] | None:
    """The corpora that came with the package, or are in the cache; None if they are in neither."""
    return _shipped(spec, profile, seed, expensive) or _read(_cache_file(spec, profile, seed, expensive))


def _corpus_of(made: compose.OperationCases) -> OperationCorpus:
    """The operation's cases as the strategies built them."""
    return OperationCorpus(
        made.operation, made.resource, made.cases, made.setup, made.fresh, made.by_type, dict(made.left_out)
    )


def _no_collisions(rows: Iterable[OperationCorpus]) -> None:
    """Raise :class:`HarnessError` if two cases have the same id."""
    seen: dict[str, str] = {}
    for row in rows:
        for case in row.cases:
            if case.id in seen:
                raise HarnessError(f"{row.operation} and {seen[case.id]} share the case id {case.id}", where="corpus")
            seen[case.id] = row.operation


# -- cache ------------------------------------------------------------------------------------------------------------


def _name(code: str, spec: Spec, profile: str, seed: int, expensive: frozenset[str]) -> str:
    """The name of a file. It contains a digest of everything on which the corpus depends; ``code`` is that of the
    code.
    """
    choice = choice_of(spec, profile)
    # It is the only kind that adds cases. The others only decide which cases are sent.
    opted = "large-body" if "large-body" in expensive else ""
    # The data of another version may be taken, on which the digest of this one doesn't depend.
    named = choice.digest if choice is not None else ""
    key = json.dumps([code, spec.version, spec.digest, profile, seed, opted, named])
    return f"{spec.version}-{profile}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsonl"


def _cache_file(spec: Spec, profile: str, seed: int, expensive: frozenset[str]) -> Path:
    """The cache file."""
    return cache_folder() / _name(digest_of(DERIVING), spec, profile, seed, expensive)


def shipped_name(spec: Spec, profile: str, seed: int = 0, expensive: frozenset[str] = frozenset()) -> str:
    """The name under which the corpus may have come with the package (``spec/derived.py``)."""
    return f"{_name(code_of(DERIVING), spec, profile, seed, expensive)}.xz"


def _shipped(spec: Spec, profile: str, seed: int, expensive: frozenset[str]) -> dict[str, OperationCorpus] | None:
    """The corpora that came with the package; None if they did not."""
    content = shipped(shipped_name(spec, profile, seed, expensive))
    return None if content is None else _rows(map(json.loads, content.splitlines()))


def _line(value: Any, *, ordered: bool = False) -> str:
    """One line of JSON. Keys keep their order, in which they are sent; ``ordered`` sorts them for a digest."""
    return json.dumps(value, sort_keys=ordered, separators=(",", ":")) + "\n"


def lines_of(rows: Iterable[OperationCorpus]) -> Iterator[str]:
    """Yield the lines of a file: one for each operation and one for each case, all of them ASCII."""
    count = 0
    for row in rows:
        yield _line(
            {
                "operation": row.operation,
                "resource": row.resource,
                "by_type": row.by_type,
                "left_out": row.left_out,
                "setup": [case.to_json() for case in row.setup],
                "fresh": [case.to_json() for case in row.fresh],
            }
        )
        for case in row.cases:
            yield _line(case.to_json())
            count += 1
    # The last line lets a reader recognise a file that was cut off.
    yield _line({"cases": count})


def _write(file: Path, rows: Iterable[OperationCorpus]) -> None:
    """Write a file. It is renamed at the end, so that a reader sees all of it or nothing."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".part", delete=False) as out:
            out.writelines(lines_of(rows))
        Path(out.name).replace(file)
        prune()
    except OSError:
        # a cache that can't be written is no reason to fail: the next run builds again
        with suppress(OSError, UnboundLocalError):
            Path(out.name).unlink(missing_ok=True)


def _read(file: Path) -> dict[str, OperationCorpus] | None:
    """The content of a cache file; None if there is none or it is incomplete."""
    try:
        with file.open(encoding="utf-8") as lines:
            used(file)
            return _rows(map(json.loads, lines))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _rows(values: Iterable[Any]) -> dict[str, OperationCorpus] | None:
    """The corpora from the lines of a cache file; None if lines are missing."""
    found: dict[str, OperationCorpus] = {}
    head: Any = None
    cases: list[Case] = []
    count = 0
    for value in values:
        # Only the line of a case has a method; the others are the head of an operation or the last line.
        if "method" in value:
            cases.append(Case.from_json(value))
            count += 1
            continue
        if head is not None:
            found[head["operation"]] = _row(head, cases)
        if "cases" in value:
            return found if value["cases"] == count else None
        head, cases = value, []
    return None


def _row(head: Mapping[str, Any], cases: list[Case]) -> OperationCorpus:
    return OperationCorpus(
        head["operation"],
        head["resource"],
        tuple(cases),
        tuple(Case.from_json(c) for c in head["setup"]),
        tuple(Case.from_json(c) for c in head["fresh"]),
        tuple(head["by_type"]),
        head["left_out"],
    )
