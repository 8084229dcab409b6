"""The companion: webhooks in, Meltano runs out, Zoho channels renewed."""
