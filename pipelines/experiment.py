"""What contacts change: the hold-out of the lists, looked at as planned, or an experiment that was run elsewhere."""

from pipelines.start.entry import command

body, main = command("experiment", "experiment", "state_effect", by_target=True)

if __name__ == "__main__":
    main()
