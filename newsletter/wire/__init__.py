"""From values to bytes on the wire: pure functions, frozen values, nothing of ours imported."""
