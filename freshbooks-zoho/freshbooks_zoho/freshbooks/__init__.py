"""FreshBooks' side: the callbacks that it sends webhooks to."""
