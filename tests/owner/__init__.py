"""What a run leaves at a target that somebody else owns: nothing."""
