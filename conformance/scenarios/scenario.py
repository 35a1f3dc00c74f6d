"""What a scenario is: a named generator of steps. It does no I/O and never cleans up.

A step is a tuple of independent cases, which are sent together, a :class:`Wait` or a :class:`GiveUp`. The generator
receives the exchanges of a step in the order of its cases. A case that creates something declares its ``undo``; the
runner writes it to the journal before it sends the case.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping

from attrs import evolve, field, frozen

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.spec.spec import Spec

__all__ = [
    "GiveUp",
    "Given",
    "Scenario",
    "Script",
    "Settings",
    "Step",
    "Wait",
    "bound",
    "scenario",
]


@frozen
class Wait:
    """A step that lets some seconds pass. With ``apart`` they are only there so that the target's clock shows another
    second: a clock that can be moved makes them unnecessary.
    """

    seconds: float
    apart: bool = False


@frozen
class GiveUp:
    """The last step of a script that leaves its rest out, because the answers so far show that it would be in vain.

    With ``account`` the account may be the reason, so nothing is said about the target.
    """

    reason: str
    account: bool = False


#: What a script yields.
Step = tuple[Case, ...] | Wait | GiveUp
#: A running script. It receives one exchange for each case of the step that it yielded.
Script = Generator[Step, tuple[Exchange, ...], None]


@frozen
class Given:
    """An object that another scenario creates: the ids of the scenario and of its case, and the name that this case has
    for the id of the object.
    """

    scenario: str
    case: str
    name: str


@frozen
class Settings:
    """What a scenario may know about the run: never a URL, never a key.

    ``poll_interval`` and ``deadline`` (seconds) bound every poll; ``read_after_write`` is how long a change may take to
    become visible. ``deterministic`` is True if the target claims to give equal answers to equal requests.
    ``given`` are the ids of the objects that other scenarios have created for this one, by placeholder.
    ``capabilities`` are those of each deployment. ``give_up_after`` is how many equal refusals of valid requests end
    the corpus of an operation; 0 if none do.
    """

    profile: str = Profile.STANDARD
    poll_interval: float = 1.0
    deadline: float = 60.0
    read_after_write: float = 10.0
    deterministic: bool = False
    live: bool = False
    expensive: frozenset[str] = frozenset()
    give_up_after: int = 5
    capabilities: Mapping[str, frozenset[str]] = field(factory=dict)
    given: Mapping[str, str] = field(factory=dict)

    def can(self, case: Case) -> bool:
        """Return True if some deployment can answer a case. True as well where nothing is known of deployments."""
        wanted = frozenset(case.capability.split("+")) - {""}
        return not self.capabilities or any(wanted <= able for able in self.capabilities.values())


@frozen
class Scenario:
    """A scenario as a value: its id, the operations that it sends, and the script.

    It runs in versions that have the operations, and those that it ``uses`` to make what they need, and that list the
    ``features`` that the script needs.
    ``requests`` and ``tokens`` are upper bounds for planning; ``requests`` of a script include the removal of what it
    creates. ``pages`` are further requests at most, in a list of the account that others fill. ``profiles`` are those
    that contain the scenario, beside the small ones whose data names it; ``expensive`` is the opt-in kind that must be
    allowed on a live target, or "". ``cases`` is not empty for a corpus; ``setup`` are the cases that create its
    objects. ``given`` are the objects that other scenarios create for it, by placeholder. Where one of them is missing
    it creates all for itself.
    """

    id: str
    operations: tuple[str, ...]
    script: Callable[[Spec, Settings], Script] = field(repr=False)
    doc: str = ""
    requests: int = 0
    tokens: int = 0
    resource: str = ""
    cases: tuple[Case, ...] = field(default=(), repr=False)
    setup: tuple[Case, ...] = field(default=(), repr=False)
    given: Mapping[str, Given] = field(factory=dict, repr=False)
    pages: int = 0
    features: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    profiles: tuple[str, ...] = Profile.WHOLE
    expensive: str = ""
    module: str = ""

    @property
    def is_corpus(self) -> bool:
        """True for the scenario that sends the corpus of an operation."""
        return bool(self.cases)


def bound(case: Case, values: Mapping[str, str]) -> Case:
    """The case with known placeholders filled in, its undo as well."""
    if not values:
        return case
    # The undo is sent at the end of the run, when the script and its values are gone.
    undo = case.undo.bind(**values) if case.undo is not None else None
    return evolve(case.bind(**values), undo=undo)


def scenario(
    id: str,
    *,
    operations: Iterable[str],
    requests: int,
    tokens: int = 0,
    resource: str = "",
    profiles: Iterable[str] = Profile.WHOLE,
    expensive: str = "",
    features: Iterable[str] = (),
    uses: Iterable[str] = (),
) -> Callable[[Callable[[Spec, Settings], Script]], Scenario]:
    """Decorator: make a scenario of a generator function. It runs in versions that have all its operations and
    features, and the operations that it ``uses`` to make what it needs.

    The docstring of the function is what ``list scenarios`` shows.
    """

    names = tuple(operations)

    def make(script: Callable[[Spec, Settings], Script]) -> Scenario:
        return Scenario(
            id=id,
            operations=names,
            script=script,
            doc=(script.__doc__ or "").strip(),
            requests=requests,
            tokens=tokens,
            resource=resource or names[0].split(".")[0],
            profiles=tuple(profiles),
            expensive=expensive,
            features=tuple(features),
            uses=tuple(uses),
            module=script.__module__,
        )

    return make
