"""The Entra HR connector: HR files in, SCIM bulk requests out, and an account of every row."""
