"""The parts of `test_any_order.py`: what may be drawn, what a rule acts on, the machine."""
