"""The meaning of stream events, per protocol: state machines as data, with the little code that runs them."""
