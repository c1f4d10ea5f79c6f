"""`make faults`: things are killed while they send, and every reader is accounted for."""
