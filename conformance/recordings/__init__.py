"""Traffic that was recorded elsewhere: readers of its formats, and the cases that its requests stand for."""
