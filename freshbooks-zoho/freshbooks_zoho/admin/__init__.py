"""The admin port: health, metrics and the status page."""
