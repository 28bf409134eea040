"""Only the checks of the inputs: what is missing, late, contradictory or wrong, and what to fix first."""

from pipelines.start.entry import command

body, main = command("validate", "validate", "validate_inputs")

if __name__ == "__main__":
    main()
