"""Singer tap for FreshBooks."""
