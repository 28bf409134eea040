"""What the team answered to a list, for the next one to honour."""

from pipelines.start.entry import command

body, main = command("feedback", "feedback", "take_answers")

if __name__ == "__main__":
    main()
