#!/usr/bin/env bash
# Two torchrun agents, as of two machines, on this one. A rank on either is killed, again and again, so that the agents
# count different restarts; the job must go on each time, end well, and leave the weights of an undisturbed run.
# Usage: restarts.sh DIS TORCHRUN. Status 77 (skipped) where torchrun is missing.
set -uo pipefail
dis=$1 torchrun=$2
[[ -x $torchrun ]] || { echo "skipped: no torchrun"; exit 77; }
work=$(mktemp -d)
agents=()
clean() {
  ((${#agents[@]} == 0)) || kill "${agents[@]}" 2>/dev/null
  rm -rf "$work"
}
trap clean EXIT
port=$((20000 + $$ % 20000))

# start AGENT RUN: the agent in the background, its number in `agents`
start() {
  OMP_NUM_THREADS=1 "$torchrun" --no-python --nnodes 2 --nproc_per_node 1 --local-addr 127.0.0.1 \
    --rdzv_backend c10d --rdzv_endpoint 127.0.0.1:$port --rdzv_id "$2" --max-restarts 3 --monitor-interval 0.1 \
    "$dis" train --set data.board_size=5 --set data.train_boards=50 --set data.test_boards=10 \
    --set model.hidden_size=16 --set model.num_heads=2 --set train.global_batch=8 --set compute.dtype=float32 \
    --set dist.timeout_s=5 --set train.checkpoint_every=20 --set train.steps=1500 --run-dir "$work/$2" \
    >"$work/$2.$1.log" 2>&1 &
  agents+=($!)
}
fail() {
  echo "FAILED: $1"
  tail -n 30 "$work"/*.log
  exit 1
}
# rank_of NUMBER: the process that is this rank, whichever agent has it
rank_of() {
  local agent process
  for agent in "${agents[@]}"; do
    for process in $(pgrep -P "$agent"); do
      if tr "\0" "\n" 2>/dev/null <"/proc/$process/environ" | grep -qx "RANK=$1"; then echo "$process"; fi
    done
  done
}
lines() { cat "$work/$1/metrics.jsonl" 2>/dev/null | wc -l; }
# run NAME VICTIM...: a job whose ranks of these numbers are killed one after another
run() {
  local name=$1 before victim process
  shift
  agents=()
  port=$((port + 1))
  start 1 "$name"
  sleep 1 # it holds the store
  start 2 "$name"
  for victim in "$@"; do
    before=$(lines "$name")
    for _ in {1..600}; do
      process=$(rank_of "$victim")
      [[ -z $process || $(lines "$name") -lt $((before + 30)) ]] || break
      sleep 0.1
    done
    [[ -n $process ]] && kill -KILL "$process" || fail "$name: rank $victim could not be killed"
    echo "$name: killed rank $victim after $(lines "$name") records"
  done
  for agent in "${agents[@]}"; do wait "$agent" || fail "$name: an agent ended with status $?"; done
  agents=()
}

run whole
run second 1 1
run first 0 0
run both 1 0 1
for name in second first both; do
  cmp "$work"/{whole,$name}/checkpoints/latest/model.safetensors || fail "$name has other weights than the undisturbed run"
  grep -qh "going on from update" "$work/$name".*.log || fail "$name did not go on from its checkpoint"
done
echo "killed ranks were started anew on both machines; nothing was lost"
