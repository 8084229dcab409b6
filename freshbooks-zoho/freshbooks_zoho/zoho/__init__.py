"""Zoho's side: notification channels that never lapse, and what others changed there."""
