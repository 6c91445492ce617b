# The two commands are `make demo` and `make test`; both do their own set-up. `make help` lists all.
PYTHON ?=
export PYTHON
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo demo-stop test nightly check bench sdl compose packages prepare prepare-tests clean

demo: prepare ## everything from nothing to GraphiQL on 127.0.0.1:8000; Ctrl-C stops it (DEMO_DETACH=1 returns once ready)
	@exec $(BIN)/axion demo

demo-stop: packages ## ends the demo; its data stays
	@exec $(BIN)/axion demo-stop

test: prepare-tests ## the whole suite on a stack of its own (ARGS='-k name' selects, WORKERS=2 takes two stacks)
	@exec deploy/local/run_tests.sh $(ARGS)

nightly: prepare-tests ## all questions to every warehouse, and 20,000 random documents against a naive interpreter
	@exec deploy/local/run_tests.sh tests/conformance tests/deploy/helm tests/differential tests/system/flights --every-engine --documents=20000 $(ARGS)

check: packages ## layer contracts, types, lint, format and the committed SDL
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/axion sdl --check

bench: prepare ## the figures, measured beside their peers on this machine
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

sdl: packages ## writes schema/schema.graphql
	@$(BIN)/axion sdl --output schema/schema.graphql

compose: packages ## the same stack with Docker's official images, with generated secrets
	@docker compose --env-file "$$($(BIN)/python -m deploy.local.compose)" -f deploy/compose.yaml up --build

packages: ## .venv with the project and its tools
	@deploy/local/venv.sh
	@$(BIN)/python -m deploy.local.prepare --packages-only

prepare: ## .venv, and what the embedded stack needs built (kept in the cache folder)
	@deploy/local/venv.sh
	@$(BIN)/python -m deploy.local.prepare

prepare-tests: ## the same, the emulators of warehouses and a browser
	@deploy/local/venv.sh
	@$(BIN)/python -m deploy.local.prepare --for-tests

clean: ## stops and deletes the stacks of this checkout and .venv; what was built stays in the cache folder
	@for env in .axion/*/env; do \
		if [ -e "$$env" ]; then $(BIN)/axion stack reset --name "$$(basename "$$(dirname "$$env")")"; fi; \
	done
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
