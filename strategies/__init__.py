"""From schemas to requests: valid ones, boundaries, single-constraint violations, text and media."""
