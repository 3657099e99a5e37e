"""A loopback simulator of Microsoft Entra's API-driven inbound provisioning API.

An independent witness: it speaks raw JSON and never imports the connector. What it does comes from
Microsoft's public documentation, named in each docstring as "Source:". Where the documentation is
silent a comment starts with "Guess:", so that nobody takes our choice for Microsoft's word.
"""
