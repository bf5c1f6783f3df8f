#!/usr/bin/env bash
# Two hosts, made of network namespaces: torchrun's c10d rendezvous, 20 updates on both; then a run whose link is cut for
# a while, which must go on when it is mended; then one whose link is cut for good, which must end.
# Usage: two_hosts.sh DIS TORCHRUN. Status 77 (skipped) where namespaces are not allowed or torchrun is missing.
set -uo pipefail
dis=$1 torchrun=$2
[[ -x $torchrun ]] || { echo "skipped: no torchrun"; exit 77; }
a=dis$$a b=dis$$b
work=$(mktemp -d)
clean() {
  ip netns pids $a 2>/dev/null | xargs -r kill -9 2>/dev/null
  ip netns pids $b 2>/dev/null | xargs -r kill -9 2>/dev/null
  ip netns del $a 2>/dev/null
  ip netns del $b 2>/dev/null
  rm -rf "$work"
}
trap clean EXIT
ip netns add $a 2>/dev/null && ip netns add $b && ip link add v$$a netns $a type veth peer name v$$b netns $b ||
  { echo "skipped: no network namespaces here"; exit 77; }
i=0
for host in $a $b; do
  i=$((i + 1))
  ip -n $host link set lo up
  ip -n $host addr add 10.77.0.$i/24 dev v${host#dis}
  ip -n $host link set v${host#dis} up
done

# start HOST NUMBER RUN UPDATES [RESTARTS]: the agent of one host; both see the same file system
start() {
  ip netns exec "$1" env OMP_NUM_THREADS=1 GLOO_SOCKET_IFNAME="v${1#dis}" "$torchrun" --no-python --nnodes 2 \
    --nproc_per_node 1 --rdzv_backend c10d --rdzv_endpoint 10.77.0.1:29400 --rdzv_conf is_host=$(($2 == 1 ? 1 : 0)) --rdzv_id "$3" --local_addr 10.77.0."$2" --max-restarts "${5:-0}" \
    "$dis" train --set data.board_size=5 --set data.train_boards=50 --set data.test_boards=10 \
    --set model.hidden_size=48 --set model.num_heads=2 --set train.global_batch=8 --set compute.dtype=float32 \
    --set dist.timeout_s=5 --set train.checkpoint_every=20 --set train.steps="$4" --run-dir "$work/$3" >"$work/$3.$2.log" 2>&1
}
fail() {
  echo "FAILED: $1"
  tail -n 20 "$work"/*.log
  exit 1
}

start $a 1 whole 20 & first=$!
start $b 2 whole 20 || fail "the second host"
wait $first || fail "the first host"
grep -q "2 ranks" "$work"/whole.*.log || fail "there were not two ranks"
echo "two hosts trained together"

# until_begun RUN: until there is something to lose
until_begun() {
  for _ in {1..300}; do
    [[ $(cat "$work/$1/metrics.jsonl" 2>/dev/null | wc -l) -lt 5 ]] || break
    sleep 0.1
  done
}

start $a 1 undisturbed 1200 & first=$!
start $b 2 undisturbed 1200 || fail "the second host, undisturbed"
wait $first || fail "the first host, undisturbed"
start $a 1 mended 1200 3 & first=$!
start $b 2 mended 1200 3 & second=$!
until_begun mended
ip -n $a link set v$$a down
sleep 8 # longer than dist.timeout_s: both ranks end
ip -n $a link set v$$a up
wait $first || fail "the first host, after the link was mended"
wait $second || fail "the second host, after the link was mended"
grep -qh "^error: " "$work"/mended.*.log || fail "no rank noticed the cut link"
grep -qh "going on from update" "$work"/mended.*.log || fail "the run did not go on from its checkpoint"
cmp "$work"/{undisturbed,mended}/checkpoints/latest/model.safetensors || fail "other weights after a cut link"
echo "a cut and mended link lost nothing"

start $a 1 cut 100000 &
start $b 2 cut 100000 &
until_begun cut
ip -n $a link set v$$a down
begin=$SECONDS
# The ranks must end soon; torchrun's agent on the second host waits longer for its store.
ranks_left() { for host in $a $b; do ip netns pids $host; done | xargs -r ps -o comm= -p | grep -c '^dis$'; }
while [[ $(ranks_left) != 0 ]]; do
  ((SECONDS - begin < 60)) || fail "a rank goes on without the other"
  sleep 0.2
done
seconds=$((SECONDS - begin))
sleep 1
for host in 1 2; do
  grep -h "^error: " "$work/cut.$host.log" || fail "host $host does not say why"
done
echo "the cut link ended both ranks after $seconds s"
