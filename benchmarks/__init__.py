"""Measurements. Run by `make bench` and `make faults`; figures go to var/bench/*.json."""
