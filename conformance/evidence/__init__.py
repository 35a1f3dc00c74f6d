"""What came back: exchanges, the parser of event streams, traces, timelines."""
