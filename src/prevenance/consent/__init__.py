"""What may be read at all: purpose, opt-out, special categories, pseudonyms, who was erased."""
