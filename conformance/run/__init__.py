"""A run from its options to its report: session, runner, selection, scheduling, claims, recording, replay."""
