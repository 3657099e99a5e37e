"""`python -m shared …`: what a person does with feed files and HR files at a terminal."""
