"""A gateway, certified from both sides: requests go through it to a recording upstream, and both taps are compared."""
