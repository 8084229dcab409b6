"""The public port: what strangers send, checked, stored, then acknowledged."""
