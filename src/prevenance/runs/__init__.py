"""What a command does, step by step, with records in and out; knows no Hydra and prints nothing."""
