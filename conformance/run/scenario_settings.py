"""What the scenarios may know of a target, from its configuration."""

from __future__ import annotations

from conformance.requests.profile import Profile
from conformance.scenarios.scenario import Settings
from conformance.target.target import Target

__all__ = ["settings_of"]


def settings_of(target: Target, profile: str = Profile.STANDARD) -> Settings:
    """What scenarios may know of a target. On loopback they poll quickly."""
    config = target.config
    return Settings(
        profile=profile,
        poll_interval=min(config.poll.interval, 0.05) if target.loopback else config.poll.interval,
        deadline=config.poll.deadline,
        deterministic=config.target.deterministic,
        loopback=target.loopback,
        expensive=config.budget.expensive,
        capabilities=config.target.deployments,
    )
