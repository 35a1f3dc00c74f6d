"""What is sent: cases, their form on the wire, rules between fields, shrinking of one request."""
