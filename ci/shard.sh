#!/bin/sh
# One shard of a run, for an engine that starts n equal jobs: Kubernetes (JOB_COMPLETION_INDEX, from 0), GitLab
# (CI_NODE_INDEX, from 1) or any other that sets AOAI_SHARD_INDEX, from 1. AOAI_SHARDS is n.
#
#   shard.sh OUT [arguments of run]     judges shard k of n into OUT/shard-k
#
# The exit code is 0 if the shard was judged, whatever the verdict: the merge decides. So no engine repeats a shard
# because the target failed, which would send everything again.
set -eu
out=$1
shift
n=${AOAI_SHARDS:-${CI_NODE_TOTAL:-1}}
if [ -n "${JOB_COMPLETION_INDEX:-}" ]; then k=$((JOB_COMPLETION_INDEX + 1)); else k=${AOAI_SHARD_INDEX:-${CI_NODE_INDEX:-1}}; fi
code=0
${AOAI_CONFORMANCE:-aoai-conformance} run --shard "$k/$n" --out "$out/shard-$k" "$@" || code=$?
case $code in 0 | 1 | 3) exit 0 ;; *) exit "$code" ;; esac
