#!/usr/bin/env bash
# Checks the losses and leaves the exit status and the files to the steps behind it.
# Reads TARGETS and ARGUMENTS; RUNNER_TEMP is where the files go.
set -u
folder="${RUNNER_TEMP:-.}"
sarif="$folder/losscheck.sarif"
json="$folder/losscheck.json"
# Words are taken apart on purpose: both hold several.
# shellcheck disable=SC2086
losscheck check ${TARGETS:-} --format github --format "sarif=$sarif" --format "json=$json" ${ARGUMENTS:-}
status=$?
{
  echo "status=$status"
  if [ -f "$sarif" ]; then
    echo "sarif=$sarif"
    echo "json=$json"
  fi
} >> "${GITHUB_OUTPUT:-/dev/null}"
# The last step fails the job, when the files are handed over.
[ -n "${GITHUB_OUTPUT:-}" ] && exit 0
exit "$status"
