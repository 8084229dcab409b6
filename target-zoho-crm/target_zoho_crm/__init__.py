"""Singer target for Zoho CRM."""
