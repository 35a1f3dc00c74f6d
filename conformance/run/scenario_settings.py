"""What the scenarios may know of a target, from its configuration."""

from __future__ import annotations

from conformance.requests.profile import Profile
from conformance.scenarios.scenario import Settings
from conformance.target.target import Target

__all__ = ["default_concurrency", "settings_of"]


def settings_of(target: Target, profile: str = Profile.STANDARD) -> Settings:
    """What scenarios may know of a target. They poll an emulator quickly."""
    config = target.config
    return Settings(
        profile=profile,
        poll_interval=config.poll.interval if target.live else min(config.poll.interval, 0.05),
        deadline=config.poll.deadline,
        deterministic=config.target.deterministic,
        live=target.live,
        expensive=config.budget.expensive,
        give_up_after=config.run.give_up_after,
        capabilities=config.target.deployments,
    )


def default_concurrency(*, live: bool) -> int:
    """The number of exchanges in flight if the user names none. A live resource has rate limits."""
    return 2 if live else 8
