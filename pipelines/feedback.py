"""Take what the team answered to the lists (``file=feedback.csv``), so that the next list honours it."""

from pipelines.start.run import command

body, main = command("feedback", "feedback", "take_answers")

if __name__ == "__main__":
    main()
