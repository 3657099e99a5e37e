"""The ground that the demo and the tests stand on: Azurite, the simulator, and a host for the functions."""
