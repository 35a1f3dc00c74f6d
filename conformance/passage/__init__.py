"""One request on its way through a gateway, seen at two taps: at the client and at the upstream.

What the client sent is compared with what the upstream received, and what the upstream answered with what the client
got. Both are the same exchange, so ids, times and texts must be equal, and nothing rests on a deterministic upstream.
"""
