"""The profile of Hypothesis for the tests of this folder."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("ci", max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
