"""A move from one api-version to another: what is predicted, what a target does, and what follows."""
