"""What the events of a stream mean, per protocol: grammars as data with the little code that walks them."""
