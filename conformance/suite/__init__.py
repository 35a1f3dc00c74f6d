"""The pytest modules that judge a target. They ship with the wheel."""
