"""How Zoho's API is talked to: tokens, calls, limits, answers, queries."""
