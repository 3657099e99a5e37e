"""From provisioning log records to what became of each worker. No I/O, no clock, and nothing of `inbound`."""
