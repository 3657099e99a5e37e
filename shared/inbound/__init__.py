"""From bytes to a plan of bulk requests, and from the API's answers to what is left to send. No I/O, no clock."""
