"""From options to a report: session, runner, selection, scheduling, claims, recording, replay."""
