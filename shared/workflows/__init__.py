"""One story per trigger, told with the ports."""
