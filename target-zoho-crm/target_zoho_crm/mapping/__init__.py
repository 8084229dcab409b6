"""From FreshBooks to Zoho: which field gets what, and in which form."""
