"""Users to a plan: doubles, order, requests, what is set aside."""
