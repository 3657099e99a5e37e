"""What a drop, a run and a row are: the words that the inbound and the monitoring side share."""
