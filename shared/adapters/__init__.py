"""One foreign system each; foreign errors end here."""
