"""Run only the checks of the inputs and print what a person should know of them; no model, nothing published."""

from pipelines.start.run import command

body, main = command("validate", "validate", "validate_inputs")

if __name__ == "__main__":
    main()
