"""Is it still right: what the lists said and what came, what is far from usual tonight, and whether training again would help."""

from pipelines.start.entry import command

body, main = command("watch", "watch", "watch_report", by_target=True)

if __name__ == "__main__":
    main()
