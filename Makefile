# Every target is one command; `make help` lists them. Settings go into ARGS, your own conf folder into CONF.
PYTHON ?= python3
RUN = .venv/bin/python -m pipelines.
PRIVATE = $(if $(CONF),--config-dir $(CONF))
export PYTHONHASHSEED = 0

.DEFAULT_GOAL := help
.PHONY: help setup train validate record score backfill replay watch support feedback export explain leakage erase audit-log sbom audit demo test test-long test-all test-tools lint types notebooks docs docs-figures bench lock clean clean-memo

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/ready

setup: .venv/ready ## make .venv and install the locked libraries (the others call it by themselves)

train: .venv/ready ## train, evaluate, gate and register every target: ARGS="source= target= as_of= out= data= model= capacity= seed="
	@$(RUN)train $(PRIVATE) $(ARGS)

validate: .venv/ready ## only the checks of the inputs: what is missing, late, contradictory or wrong, and what to fix first: ARGS="source= data= as_of= out="
	@$(RUN)validate $(PRIVATE) $(ARGS)

record: .venv/ready ## keep what changed in tables that are edited in place (record: in the source), so that their history begins today: ARGS="as_of= data= out="
	@$(RUN)record $(PRIVATE) $(ARGS)

score: .venv/ready ## score with the registered champion and publish the ranked lists: ARGS="as_of= target= capacity= out="
	@$(RUN)score $(PRIVATE) $(ARGS)

backfill: .venv/ready ## missed nights, each with the list it would have had: ARGS="from=2026-04-01 to=2026-04-05"
	@$(RUN)backfill $(PRIVATE) $(ARGS)

replay: .venv/ready ## the list as it would have been at a past date, with what happened since: ARGS="as_of=2026-04-01 target=churn"
	@$(RUN)replay $(PRIVATE) $(ARGS)

watch: .venv/ready ## is it still right: what the lists said and what came, what is far from usual tonight, and whether training again would help: ARGS="as_of= target= language= out="
	@$(RUN)watch $(PRIVATE) $(ARGS)

support: .venv/ready ## tickets as a process: where their days go in calendar and working hours, by which ways they travel, and the KPIs: ARGS="as_of= source= data= language= out="
	@$(RUN)support $(PRIVATE) $(ARGS)

outcomes: .venv/ready ## what became of the published lists: hits, misses and warning days as their windows close, and the team against the model: ARGS="as_of= target= out="
	@$(RUN)outcomes $(PRIVATE) $(ARGS)

experiment: .venv/ready ## what contacts change: the hold-out of the lists looked at as planned, how long an answer takes, or an experiment run elsewhere: ARGS="as_of= target= file= out="
	@$(RUN)experiment $(PRIVATE) $(ARGS)

feedback: .venv/ready ## what the team answered to a list, for the next one to honour: ARGS="file=feedback.csv out="
	@$(RUN)feedback $(PRIVATE) $(ARGS)

export: .venv/ready ## the actions of the newest list with who decided what, as a CSV for a CRM: ARGS="target=churn reviewed_only=true out="
	@$(RUN)export $(PRIVATE) $(ARGS)

explain: .venv/ready ## one customer's inputs, sources, reasons and what would change them: ARGS="customer= as_of= target= product= language="
	@$(RUN)explain $(PRIVATE) $(ARGS)

leakage: .venv/ready ## a finished feature table, checked for columns that know the outcome: ARGS="features=table.parquet label=churn id= cutoff= fail="
	@$(RUN)leakage $(PRIVATE) $(ARGS)

erase: .venv/ready ## a customer leaves everything below out, and later runs: ARGS="customer= out="
	@$(RUN)erase $(PRIVATE) $(ARGS)

audit-log: .venv/ready ## who did what when: the chain of out/audit.log is verified: ARGS="out="
	@$(RUN)audit_log $(PRIVATE) $(ARGS)

sbom: .venv/ready ## a software bill of materials of the locked libraries (CycloneDX): ARGS=sbom.json
	@$(RUN)sbom $(ARGS)

audit: .venv/ready ## advisories on every locked library; fails where one was not looked at (needs the network)
	@$(RUN)audit

demo: .venv/ready ## write the demo company's files: ARGS="demo.customers= demo.seed= data="
	@$(RUN)demo $(PRIVATE) $(ARGS)

test: .venv/ready ## the tests of every day: laws, units, pages (below 8 minutes of CPU)
	@.venv/bin/python -m pytest $(ARGS)

test-long: .venv/ready ## the tests of whole commands: nights, the fault table, real data, the browser (about twice as long)
	@.venv/bin/python -m pytest -m "long and not sweep" $(ARGS)

test-all: .venv/ready ## the tests with every sweep (kills at every call, many seeds), and the time they took
	@bash -c 'time .venv/bin/python -m pytest -m "" $(ARGS)'

test-tools: ## what the tests use besides Python: Chromium, PostgreSQL, strace; installed by apt for root, named where that fails
	@sh tests/tools.sh

NBCONVERT = .venv/bin/jupyter-nbconvert --log-level ERROR --to html --execute --HTMLExporter.mathjax_url= --HTMLExporter.require_js_url= --HTMLExporter.mermaid_js_url=

notebooks: .venv/ready ## run the notebooks on an out folder and leave them as pages in its notebooks/; they stay without outputs: ARGS=out
	@PREVENANCE_OUT="$(abspath $(or $(ARGS),out))" $(NBCONVERT) --output-dir "$(or $(ARGS),out)/notebooks" notebooks/*.ipynb && ls "$(or $(ARGS),out)"/notebooks/*.html

docs: .venv/ready ## the documentation site, into out/docs; nothing is fetched: ARGS=folder
	@.venv/bin/python docs/build.py $(ARGS)

docs-figures: .venv/ready ## the list in the README and the pictures in docs/, from a fresh demo (some minutes)
	@.venv/bin/python docs/figures.py

lint: .venv/ready ## style
	@.venv/bin/python -m ruff check . && .venv/bin/python -m ruff format --check .

types: .venv/ready ## types
	@.venv/bin/python -m mypy

bench: .venv/ready ## the side-by-side benchmark: ARGS="--events 20000000 --rounds 5"
	@.venv/bin/python -m bench.features $(ARGS)

lock: ## resolve the dependencies again into requirements.lock (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements.lock --quiet --no-header
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra postgres --extra build pyproject.toml -c requirements.lock -o requirements-run.lock --quiet --no-header

clean-memo: ## forget what nights keep so as not to work it out again; it costs the next night its time and changes no list: ARGS=out
	rm -rf "$(or $(ARGS),out)/memo"

clean: ## remove the virtual environment and what was built
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
