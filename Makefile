# Each target sets up what it needs; a fresh machine needs Python 3.10 or newer, make and git.
PYTHON ?= python3
BIN := .venv/bin
export UV_COMPILE_BYTECODE ?= 1
# Tests and benches start hundreds of processes, each of which would compile the packages anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install develop plugins programs demo test lint bench clean forget

# What is installed knows its own place and that of its Python: it is of no use in a folder that was renamed or copied,
# nor once that Python is gone. A link to an environment elsewhere is somebody's wish.
in_place = { $(1)/python -c "" && grep -qF "$(CURDIR)/" $(1)/activate; } 2>/dev/null
TAP_BIN := .meltano/extractors/tap-freshbooks/venv/bin
ifeq ($(shell test ! -L .venv && test -e $(BIN)/.installed && ! $(call in_place,$(BIN)) && echo moved),moved)
.PHONY: anew
$(BIN)/.installed: anew
anew:
	@echo "The folder was moved, or its Python is gone: all is installed anew."
	rm -rf .venv
endif
CLEAN := $(shell test -e $(TAP_BIN) && ! $(call in_place,$(TAP_BIN)) && echo --clean)

install: $(BIN)/.installed
develop: $(BIN)/.developed

$(BIN)/.installed: pyproject.toml uv.lock $(wildcard */pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --quiet --frozen --inexact --no-default-groups --group run --python $(BIN)/python
	touch $@

# What tests, lint and benches take, too: more than all the rest, and nobody needs it who only runs the project. Most
# of it is never loaded, so that is not compiled before.
$(BIN)/.developed: $(BIN)/.installed
	UV_COMPILE_BYTECODE=0 $(BIN)/uv sync --quiet --frozen --python $(BIN)/python
	touch $@

# Meltano writes secrets into its folder during a run, with whatever mode the umask leaves.
plugins: install
	install -d -m 700 .meltano
	$(BIN)/meltano --log-level=warning install $(CLEAN)

demo: plugins
	$(BIN)/sandbox demo

# The status page is tested in a browser of the machine's own, and the documents' proxies and a pooler of PostgreSQL's
# connections are started; root gets those that are missing. Without them the tests say what is missing.
programs:
	-@missing=; \
	command -v chromium || command -v chromium-browser || command -v google-chrome || missing="$$missing chromium"; \
	command -v nginx || missing="$$missing nginx-light"; \
	command -v caddy || missing="$$missing caddy"; \
	command -v pgbouncer || test -x /usr/sbin/pgbouncer || missing="$$missing pgbouncer"; \
	test -z "$$missing" || test "$$(id -u)" != 0 \
	  || { apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends $$missing; }

test:
	@$(MAKE) --no-print-directory programs & $(MAKE) --no-print-directory develop plugins && wait
	$(BIN)/pytest -n 3 --dist worksteal

lint: develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: develop plugins
	$(BIN)/python tests/bench/run.py
	$(BIN)/python tests/bench/receiver.py
	$(BIN)/python tests/bench/companion.py

# All that can be made again; the connections to the services, and what is known of past runs, cannot.
clean:
	rm -rf .venv .sandbox .mypy_cache .ruff_cache .pytest_cache .hypothesis
	cd .meltano 2>/dev/null && rm -rf extractors loaders utilities run freshbooks-zoho logs cache || true

# The rest, if somebody says so.
forget:
	@printf '%s\n' "This removes the tokens of both services, what waits to be synced, and how far FreshBooks was read:" \
	  "you have to connect both again. To go on, type: forget"
	@read answer && test "$$answer" = forget
	rm -rf .meltano
