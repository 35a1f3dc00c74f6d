"""What came back: exchanges, the parser of event streams, created ids, traces, timelines."""
