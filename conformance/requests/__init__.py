"""What is sent: cases, requests, their form on the wire, cross-field rules, selectors, shrinking of one request."""
