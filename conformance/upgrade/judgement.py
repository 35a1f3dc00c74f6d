"""What follows for one predicted change."""

from __future__ import annotations

from attrs import frozen

from conformance.migration.conclusion import Conclusion

__all__ = ["Judgement"]


@frozen
class Judgement:
    """A conclusion and the reason for it."""

    conclusion: Conclusion
    told: str
