"""What Singer plugins lack: a durable place for rotating tokens and for records to retry."""
