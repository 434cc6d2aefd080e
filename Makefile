# Works on a fresh clone with Python 3.11 or newer, its venv module and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
CORPUS := $(VENV)/corpus
CORPUS_STAMP := $(VENV)/.installed-corpus

# A module alone would do too; named one by one, the factories get their arguments.
SEED := examples.seed_losses
DEMO := \
	'$(SEED):weighted_mse' \
	'$(SEED):weighted_mae' \
	'$(SEED):robust_weighted_loss' \
	'$(SEED):custom_mse' \
	'$(SEED):custom_loss_with_weights' \
	'$(SEED):custom_loss_conditional' \
	'$(SEED):plain_mse' \
	'$(SEED):class_weighted_mse' \
	'$(SEED):custom_huber_loss_with_regularization' \
	'examples.seed_model:custom_huber_loss_with_regularization' \
	'$(SEED):weighted_binary_crossentropy([0.1, 0.9])' \
	'$(SEED):huber_loss_custom(delta=2.0)' \
	'$(SEED):focal_loss(gamma=2.0)' \
	'$(SEED):weighted_mae_constant' \
	'$(SEED):adaptive_huber_loss' \
	'$(SEED):temporal_loss'

# The functions of keras.losses, and two of its classes as they are used on logits.
KERAS := $(addprefix keras.losses:,binary_crossentropy binary_focal_crossentropy \
	categorical_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy \
	categorical_hinge circle cosine_similarity ctc dice hinge huber kl_divergence log_cosh \
	mean_absolute_error mean_absolute_percentage_error mean_squared_error \
	mean_squared_logarithmic_error poisson sparse_categorical_crossentropy squared_hinge tversky \
	'BinaryCrossentropy(from_logits=True)' 'CategoricalCrossentropy(from_logits=True)')

.PHONY: help setup demo reports test test-slow test-cluster coverage lint format bench-gradient bench-search \
	keras-contract accuracy proof rewriting scaling snapshot snapshot-compare docs picture rule-examples dist matrix \
	clean

help:
	@echo 'make demo     check the losses of examples/ and write the reports to reports/'
	@echo 'make reports  check the losses of Keras; writes reports/keras.html and .json and their pictures'
	@echo 'make test     run the tests'
	@echo 'make test-slow  run the long sweeps that make test leaves out; takes an hour'
	@echo 'make coverage  run the tests and say which lines none of them runs; takes half an hour'
	@echo 'make test-cluster  run losses on a scheduler with two workers, and in three parts; takes two minutes'
	@echo 'make lint     run ruff and mypy, and see that rooms import those below them alone'
	@echo 'make format   let ruff rewrite the sources'
	@echo 'make docs     build the documentation: docs/_build/html/index.html'
	@echo 'make rule-examples  check the example of each rule; writes docs/rule-examples.json'
	@echo 'make picture  check the example of the README; writes docs/finding.svg'
	@echo 'make bench-gradient  compare with other gradient checkers; writes docs/benchmarks.md'
	@echo 'make bench-search  time the search; writes docs/benchmarks-search.md'
	@echo 'make scaling  time a check by elements, operations, losses and workers; writes docs/scaling.md'
	@echo 'make rewriting  rewrite expressions that lose digits; writes docs/rewriting.md'
	@echo 'make keras-contract  train with every loss of Keras; writes docs/keras.md'
	@echo 'make accuracy  what is found, on which line, and which sound losses are alarmed, over the zoo,'
	@echo '              Keras, packages, projects and generated losses; takes hours, writes docs/accuracy.md'
	@echo 'make proof    check losses whose faults others have published; minutes, writes docs/proof.md'
	@echo 'make snapshot OUT=FOLDER  write what is said of every loss at hand; takes an hour'
	@echo 'make snapshot-compare OLD=FOLDER NEW=FOLDER  name what differs between two of them'
	@echo 'make dist     build sdist and wheel, and try them without and with TensorFlow; writes dist/'
	@echo 'make matrix   run tests on each Python at hand, with the oldest and the newest TensorFlow'
	@echo 'make setup    create $(VENV) and install losscheck into it; the others do so themselves'
	@echo 'make clean    remove $(VENV), caches and reports'

setup: $(STAMP)

# Dependency groups are read by pip 25.1 and newer; Python 3.11 brings an older one.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'losscheck needs Python 3.11 or newer, and "$(PYTHON)" is not.' >&2; \
		echo 'Name another one, for example: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12' >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'
	$(PIP) --editable . --group dev
	@touch $@

# Findings (status 1) are what the demo is for; wrong usage and faults of losscheck still stop make.
# Python's own status after a traceback is 1 too, hence the look for pages newer than the start.
demo: $(STAMP)
	@touch $(VENV)/.demo
	@$(BIN)/losscheck $(DEMO) --format text --format html=reports/stability.html \
		--format json=reports/stability.json --format markdown=reports/stability.md || [ $$? -eq 1 ]
	@[ -n "$$(find reports -name '*.html' -newer $(VENV)/.demo)" ] || { \
		echo 'losscheck wrote no page to reports/.' >&2; exit 1; }
	@echo 'The same as a page: reports/stability.html'

# Committed, unlike what `make demo` writes: what is said of the losses that everybody knows.
reports: $(STAMP)
	$(BIN)/losscheck $(KERAS) --format concise --format html=reports/keras.html \
		--format json=reports/keras.json || [ $$? -eq 1 ]
	$(BIN)/python -m benchmarks.screenshots reports/keras.html docs

# The files that take longest come first, so that both workers end together.
test: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder \
		tests/test_zoo.py tests/generated tests/test_seeds.py tests/test_everyday.py tests

# Losses run in processes of their own, whose lines count as well.
coverage: $(STAMP)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder \
		tests/test_zoo.py tests/generated tests/test_seeds.py tests/test_everyday.py tests
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# The long sweeps that `make test` leaves out; the whole zoo is also in `make accuracy`.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 -m slow

# A scheduler with two workers, one of which is killed, against one run and three shards of it.
test-cluster: $(STAMP)
	$(BIN)/python -m pytest -q -n0 -m cluster

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/api_example.py
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Neither TensorFlow nor a network is needed; every warning is an error.
docs: $(STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo 'The documentation: docs/_build/html/index.html'

# What losscheck prints of the example of each rule, which `make docs` puts on its page.
rule-examples: $(STAMP)
	$(BIN)/python -m benchmarks.rule_examples

picture: $(STAMP)
	$(BIN)/python -m benchmarks.picture README.md docs/finding.svg

# Its packages weigh more than all others together, so only those who compare install them.
$(BENCH_STAMP): $(STAMP)
	$(PIP) --editable . --group dev --group bench
	@touch $@

bench-gradient: $(BENCH_STAMP)
	$(BIN)/python -m benchmarks.gradient

bench-search: $(STAMP)
	$(BIN)/python -m benchmarks.search --keras

scaling: $(STAMP)
	$(BIN)/python -m benchmarks.scaling

rewriting: $(STAMP)
	$(BIN)/python -m benchmarks.rewriting

keras-contract: $(STAMP)
	$(BIN)/python -m benchmarks.keras_contract

# Losses of published packages are read and called, nothing else: their dependencies stay out, and
# they themselves in a folder of their own. The versions are those of benchmarks/corpus.
$(CORPUS_STAMP): $(STAMP) benchmarks/corpus/third_party.json benchmarks/corpus/packages.txt
	rm -rf $(CORPUS)
	$(PIP) --no-deps --target $(CORPUS) --requirement benchmarks/corpus/packages.txt
	@touch $@

accuracy: $(CORPUS_STAMP)
	PYTHONPATH=$(CORPUS) $(BIN)/python -m benchmarks.stability $(if $(PART),--only $(PART))

proof: $(STAMP)
	$(BIN)/python -m benchmarks.proof

# Taken before the inside is reworked, and after: what is said must not change unnoticed.
OUT ?= reports/snapshot
snapshot: $(STAMP)
	$(BIN)/python -m benchmarks.snapshot write $(OUT) $(if $(PART),--only $(PART))

snapshot-compare: $(STAMP)
	$(BIN)/python -m benchmarks.snapshot compare $(OLD) $(NEW)

# Its environments are filled from the index, as those of a user are.
dist: $(STAMP)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/python -m twine check --strict dist/*
	LOSSCHECK_DIST=dist $(BIN)/python -m pytest -q tests/test_wheel.py

# make matrix PYTHONS="python3.12 /opt/python3.13/bin/python3" TESTS=tests/program
matrix: $(STAMP)
	$(BIN)/python -m tests.matrix $(TESTS) $(if $(PYTHONS),--pythons $(PYTHONS))

clean:
	rm -rf $(VENV) build dist docs/_build docs/rules docs/project \
		$(addprefix docs/reference/,command-line.md configuration.md json.md) \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .losscheck
	find reports -mindepth 1 ! -name 'keras.*' -delete
